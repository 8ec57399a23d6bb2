import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrowingBytes } from './growing-bytes.ts'

const MIB = 1_048_576

test('gives the pieces one behind the other', () => {
  const grown = new GrowingBytes()
  const source = Buffer.from('..one.two.three..')
  grown.append(source, 2, 5, 100)
  grown.append(source, 6, 9, 100)
  grown.append(source, 9, 9, 100)
  grown.append(source, 10, 15, 100)
  assert.equal(grown.length, 11)
  assert.equal(grown.take().toString(), 'onetwothree')
})

test('holds what has arrived and not what was announced', () => {
  const grown = new GrowingBytes()
  const byte = Buffer.from('a')
  for (let count = 1; count <= 5000; count++) {
    grown.append(byte, 0, 1, MIB)
    const held = grown.take().buffer.byteLength
    assert.ok(held <= Math.max(64, 2 * count), `${held} bytes for ${count}`)
  }
})

test('does not grow beyond the length there will be', () => {
  const grown = new GrowingBytes()
  const half = Buffer.alloc(65_600)
  grown.append(half, 0, 65_600, 131_200)
  grown.append(half, 0, 65_600, 131_200)
  assert.equal(grown.take().buffer.byteLength, 131_200)
})

test('copies no more often than the length doubles', () => {
  const grown = new GrowingBytes()
  const piece = Buffer.alloc(100)
  const memories = new Set<ArrayBufferLike>()
  for (let length = 0; length < MIB; length += 100) {
    grown.append(piece, 0, 100, 2 * MIB)
    memories.add(grown.take().buffer)
  }
  assert.ok(memories.size <= 16, `${memories.size} buffers`)
})

test('gives nothing where nothing came', () => {
  assert.equal(new GrowingBytes().take().length, 0)
})
