import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composePong, composeText, walkFrames } from './frames.ts'

const short = Buffer.from('810568656c6c6f', 'hex')
const long = Buffer.concat([Buffer.from('817e0080', 'hex'), Buffer.alloc(128, 'x')])
const stream = Buffer.concat([short, long, short])

function walk(bytes: Buffer): { payloads: string[]; at: number } {
  const payloads: string[] = []
  const taker = {
    take: (_first: number, bytes: Buffer, start: number, end: number): void => {
      payloads.push(bytes.toString('latin1', start, end))
    }
  }
  const at = walkFrames(bytes, 0, bytes.length, taker)
  return { payloads, at }
}

test('hands over short and long frames and stops behind the last whole one, wherever the bytes end', () => {
  const payloads = ['hello', 'x'.repeat(128), 'hello']
  const ends = [short.length, short.length + long.length, stream.length]
  for (let cut = 0; cut <= stream.length; cut++) {
    const whole = ends.filter((end) => end <= cut)
    assert.deepEqual(walk(stream.subarray(0, cut)), {
      payloads: payloads.slice(0, whole.length),
      at: whole.at(-1) ?? 0
    })
  }
})

test('refuses masked frames and lengths of eight bytes', () => {
  assert.throws(() => walk(Buffer.from('818100000000ff', 'hex')), /129 for its length/)
  assert.throws(() => walk(Buffer.from('817f0000000000010000', 'hex')), /127 for its length/)
})

test("composes a client's frames", () => {
  assert.equal(composeText('40').toString('hex'), '8182000000003430')
  assert.equal(composePong(Buffer.from('a')).toString('hex'), '8a810000000061')
})

test('composes a long frame of a client', () => {
  const text = 'x'.repeat(300)
  const frame = composeText(text)
  assert.equal(frame.subarray(0, 8).toString('hex'), '81fe012c00000000')
  assert.equal(frame.subarray(8).toString(), text)
})
