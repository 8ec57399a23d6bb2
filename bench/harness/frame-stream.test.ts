import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from '../../core/websocket/deflate.ts'
import { textFrame } from '../../core/websocket/frames.ts'
import { FrameStream } from './frame-stream.ts'

const texts = ['short', 'x'.repeat(300), 'y'.repeat(70_000)]
const compressed = Buffer.from('z'.repeat(500))
const bytes = Buffer.concat([...texts.map((text) => textFrame(text)), textFrame(compress(compressed)!, true)])

for (const size of [1, 7, 1000, bytes.length]) {
  test(`frames in pieces of ${size} bytes are read, or counted`, () => {
    for (const isReading of [true, false]) {
      const read: string[] = []
      const stream = new FrameStream({
        isReading: () => isReading,
        onFrame: (_opcode, payload) => void read.push(payload.toString())
      })
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size))
      assert.deepEqual(read, isReading ? [...texts, String(compressed)] : [])
      assert.deepEqual([stream.frames, stream.bytes], [4, bytes.length])
    }
  })
}
