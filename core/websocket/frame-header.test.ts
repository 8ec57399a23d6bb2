import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameHeader, readHeader } from './frame-header.ts'
import { clientFrame } from './testing/client-frames.ts'

function headerOf(bytes: Uint8Array, mayCompress = false): object & { readonly bytes: number } {
  const header = new FrameHeader()
  const length = readHeader(bytes, 0, bytes.length, mayCompress, header)
  return { bytes: length, ...header }
}

test('gives every part of a header, for each form of the length', () => {
  const parts = { isFinal: true, isCompressed: false, opcode: 1, key: 0x01020304 }
  assert.deepEqual(headerOf(Buffer.from('818501020304', 'hex')), { bytes: 6, ...parts, length: 5 })
  assert.deepEqual(headerOf(Buffer.from('81fe010001020304', 'hex')), { bytes: 8, ...parts, length: 256 })
  assert.deepEqual(headerOf(Buffer.from('81ff000000000001000001020304', 'hex')), {
    bytes: 14,
    ...parts,
    length: 65_536
  })
  assert.deepEqual(headerOf(Buffer.from('008001020304', 'hex')), {
    bytes: 6,
    ...parts,
    isFinal: false,
    opcode: 0,
    length: 0
  })
})

test('a key with its top bit set is a number of 32 bits, too', () => {
  assert.deepEqual(headerOf(Buffer.from('8180ffeeddcc', 'hex')), {
    bytes: 6,
    isFinal: true,
    isCompressed: false,
    opcode: 1,
    length: 0,
    key: 0xffeeddcc | 0
  })
})

test('reads a length in more bytes than it needs', () => {
  for (const lengthBytes of [0, 2, 8] as const) {
    const { length } = headerOf(clientFrame({ opcode: 2, payload: 'abc', lengthBytes })) as FrameHeader & {
      bytes: number
    }
    assert.equal(length, 3)
  }
})

test('asks for more until the last byte of the key', () => {
  for (const hex of ['818501020304', '81fe010001020304', '81ff000000000001000001020304']) {
    const bytes = Buffer.from(hex, 'hex')
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(headerOf(bytes.subarray(0, length)).bytes, 0)
    }
  }
})

test('finds a fault in the first two bytes without waiting for more', () => {
  const faults: readonly [string, string][] = [
    ['8105', 'SCZ_ERR_WS_UNMASKED'],
    ['c185', 'SCZ_ERR_WS_RESERVED_BITS'],
    ['a185', 'SCZ_ERR_WS_RESERVED_BITS'],
    ['9185', 'SCZ_ERR_WS_RESERVED_BITS'],
    ['8385', 'SCZ_ERR_WS_OPCODE'],
    ['8785', 'SCZ_ERR_WS_OPCODE'],
    ['8b85', 'SCZ_ERR_WS_OPCODE'],
    ['8f85', 'SCZ_ERR_WS_OPCODE'],
    ['0985', 'SCZ_ERR_WS_CONTROL_FRAME'],
    ['88fe', 'SCZ_ERR_WS_CONTROL_FRAME'],
    ['8aff', 'SCZ_ERR_WS_CONTROL_FRAME']
  ]
  for (const [hex, code] of faults) {
    assert.throws(() => headerOf(Buffer.from(hex, 'hex')), { code, closeCode: 1002 }, hex)
  }
})

test('takes RSV1 on the first frame of a message where compression was agreed on, and nowhere else', () => {
  for (const first of [0xc1, 0xc2, 0x41, 0x42]) {
    assert.ok('isCompressed' in headerOf(Buffer.from([first, 0x80, 0, 0, 0, 0]), true))
  }
  for (const first of [0xc0, 0x40, 0xc8, 0xc9, 0xca, 0xe1, 0xd1]) {
    assert.throws(() => headerOf(Buffer.from([first, 0x80, 0, 0, 0, 0]), true), {
      code: 'SCZ_ERR_WS_RESERVED_BITS'
    })
  }
})
