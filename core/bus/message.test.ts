import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundOf, checkNames, dataLengthOf, sizeOf, writeMessage } from './message.ts'
import { channelNameAt, HEADER_BYTES, SEQUENCE } from './record.ts'
import { Ring, RingWriter } from './ring.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })

test('a record takes the size that was foretold, and no more than its bound', () => {
  const data = fc.oneof(text, fc.uint8Array({ maxLength: 100 }))
  fc.assert(
    fc.property(data, text, text, text, (data, channel, key, meta) => {
      const ring = new Ring(new SharedArrayBuffer(64 + 4096), 0, 64)
      const writer = new RingWriter(ring, () => 0)
      const message = { data, key, meta, isOnce: false }
      const slot = { slot: 3, name: Buffer.from(channel), isKnown: false }
      writeMessage(writer, 0, message, slot, 1, 2, 0)
      assert.equal(writer.position, ring.words[0])
      assert.equal(writer.position, sizeOf(dataLengthOf(data), message, slot))
      assert.ok(writer.position <= boundOf(message, slot))
      assert.equal(channelNameAt(ring, 0), slot.name.toString())
      assert.equal(ring.floats[SEQUENCE], 2)
    })
  )
})

test('of a large message only the names are in the ring', () => {
  const ring = new Ring(new SharedArrayBuffer(64 + 4096), 0, 64)
  const writer = new RingWriter(ring, () => 0)
  const slot = { slot: 3, name: Buffer.from('channel'), isKnown: true }
  writeMessage(
    writer,
    0,
    { data: 'x'.repeat(1_000_000), key: '', meta: '', isOnce: false },
    slot,
    1,
    2,
    1_000_000
  )
  assert.equal(writer.position, HEADER_BYTES + 8)
  assert.equal(channelNameAt(ring, 0), 'channel')
})

test('names are checked by their bytes', () => {
  const slot = { slot: 0, name: Buffer.alloc(1024), isKnown: true }
  checkNames(slot, { data: '', key: 'x'.repeat(1024), meta: '', isOnce: false })
  assert.throws(() => checkNames(slot, { data: '', key: '', meta: 'ü'.repeat(513), isOnce: false }), {
    code: 'SCZ_ERR_BUS_NAME',
    message: 'Cannot publish with a meta of 1026 bytes: it may have up to 1024'
  })
})
