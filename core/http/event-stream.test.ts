import { deepEqual, equal, ok } from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { EventStream } from './event-stream.ts'

/** Takes what is written; full when told so. */
class FakeSink extends EventEmitter {
  readonly written: string[] = []
  isFull = false
  hasEnded = false
  isDestroyed = false

  write(text: string): boolean {
    this.written.push(text)
    return !this.isFull
  }

  end(): void {
    this.hasEnded = true
    this.emit('close')
  }

  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }

  drain(): void {
    this.isFull = false
    this.emit('drain')
  }
}

test('what is written and offered to a client that reads leaves at once', () => {
  const sink = new FakeSink()
  const stream = new EventStream(sink)
  equal(stream.write('a'), true)
  stream.offer('b')
  deepEqual(sink.written, ['a', 'b'])
  stream.close()
})

test('of what is offered to a client that does not read only the latest is kept', () => {
  const sink = new FakeSink()
  const stream = new EventStream(sink)
  sink.isFull = true
  equal(stream.write('a'), false)
  ok(stream.isFull)
  for (let offer = 0; offer < 1000; offer++) stream.offer(`offer ${offer}`)
  deepEqual(sink.written, ['a'])
  sink.drain()
  deepEqual(sink.written, ['a', 'offer 999'])
  equal(stream.isFull, false)
  stream.close()
})

test('the owner is told when the client has read what was written', () => {
  const sink = new FakeSink()
  const stream = new EventStream(sink)
  const queue = ['b', 'c']
  stream.onDrain = () => {
    while (queue.length > 0 && stream.write(queue.shift()!));
  }
  sink.isFull = true
  stream.write('a')
  sink.drain()
  deepEqual(sink.written, ['a', 'b', 'c'])
  stream.close()
})

test('the owner goes on only when the offer that waited has been read, too', () => {
  const sink = new FakeSink()
  const stream = new EventStream(sink)
  let drains = 0
  stream.onDrain = () => drains++
  sink.isFull = true
  stream.write('a')
  stream.offer('b')
  sink.emit('drain')
  equal(drains, 0)
  sink.drain()
  equal(drains, 1)
  stream.close()
})

test('a quiet stream has heartbeats, one with events none', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const sink = new FakeSink()
  const stream = new EventStream(sink, 1000)
  t.mock.timers.tick(1000)
  deepEqual(sink.written, [': \n\n'])
  stream.write('a')
  t.mock.timers.tick(1000)
  deepEqual(sink.written, [': \n\n', 'a'])
  t.mock.timers.tick(1000)
  deepEqual(sink.written, [': \n\n', 'a', ': \n\n'])
  stream.close()
  t.mock.timers.tick(5000)
  equal(sink.written.length, 3)
})

test('a client that reads nothing for two heartbeats is cut, and nothing is added for it', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const sink = new FakeSink()
  const stream = new EventStream(sink, 1000)
  sink.isFull = true
  stream.write('a')
  t.mock.timers.tick(1000)
  equal(sink.isDestroyed, false)
  t.mock.timers.tick(1000)
  ok(sink.isDestroyed)
  deepEqual(sink.written, ['a'])
})

test('a client that reads now and then is not cut', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const sink = new FakeSink()
  const stream = new EventStream(sink, 1000)
  for (let round = 0; round < 5; round++) {
    sink.isFull = true
    stream.write('a')
    t.mock.timers.tick(1000)
    sink.drain()
  }
  equal(sink.isDestroyed, false)
  stream.close()
})

test('the close is told once, whoever closes, and nothing is written after it', () => {
  for (const close of [
    (stream: EventStream) => stream.close(),
    (_: EventStream, sink: FakeSink) => sink.destroy()
  ]) {
    const sink = new FakeSink()
    const stream = new EventStream(sink)
    let closes = 0
    stream.onClose = () => closes++
    close(stream, sink)
    stream.close()
    equal(closes, 1)
    equal(stream.write('a'), false)
    stream.offer('b')
    deepEqual(sink.written, [])
  }
})
