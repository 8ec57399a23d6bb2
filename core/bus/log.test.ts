import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { Connection } from './connection.ts'
import { Log } from './log.ts'
import { INBOX_DATA, LOG_DATA, READER_CURSOR, READER_STATE, READER_WANTED } from './memory.ts'

const CAPACITY = 65_536

test('the reader that has the most to read is the slowest, and how far it got is the oldest position', () => {
  const { log, join, write } = makeLog()
  assert.equal(log.slowest, null)
  assert.equal(log.oldest, 0)
  const first = join(1)
  write(100 * 8)
  const second = join(2)
  write(8)
  assert.equal(log.slowest, first.connection)
  assert.equal(log.oldest, 0)
  first.moveTo(808)
  assert.equal(log.slowest, second.connection)
  assert.equal(log.oldest, 800)
  assert.equal(log.lagOf(second.connection), 8)
  second.moveTo(808)
  assert.equal(log.slowest, null)
  assert.equal(log.oldest, 808)
})

test('nothing is written over that a reader has not read, though the slowest one overtakes it meanwhile', () => {
  const { log, join, write } = makeLog()
  const slowest = join(1)
  write(1000)
  const behind = join(2)
  write(8)
  // Another thread moves on between two looks at its cursor.
  const cursors = [0, 1008]
  Object.defineProperty(slowest.connection, 'cursor', { get: () => cursors.shift() ?? 1008 })
  assert.ok(log.oldest <= behind.connection.cursor)
})

test('a reader that has ended is waited for no longer', () => {
  const { log, join, write } = makeLog()
  const { connection } = join(1)
  write(80)
  connection.end()
  assert.equal(log.oldest, 80)
  log.detachEnded()
  assert.deepEqual(log.readers, [])
})

test('large messages have room until they are too much for the readers together', () => {
  const { log, join, write } = makeLog()
  const reader = join(1)
  assert.equal(log.hasRoomForLarge(10_000), true)
  send(log, 600)
  write(64)
  assert.equal(log.hasRoomForLarge(400), true)
  assert.equal(log.hasRoomForLarge(401), false)
  reader.moveTo(64)
  assert.equal(log.hasRoomForLarge(401), true)
})

test('a large message that was read counts no longer, however much went through the log since', () => {
  const { log, join, write } = makeLog()
  const reader = join(1)
  send(log, 600)
  for (let bytes = 0; bytes <= 2 ** 31; bytes += CAPACITY) {
    write(CAPACITY)
    reader.moveTo(log.writer.position)
  }
  assert.equal(log.hasRoomForLarge(1000), true)
})

function send(log: Log, bytes: number): void {
  log.sendLarge({ sequence: 1, data: new Uint8Array(new SharedArrayBuffer(bytes)) }, 64)
}

function makeLog() {
  const log = new Log(new SharedArrayBuffer(LOG_DATA + CAPACITY), 1000)
  return {
    log,
    join(id: number) {
      const memory = new SharedArrayBuffer(INBOX_DATA + CAPACITY)
      const control = new Int32Array(memory)
      control[READER_STATE] = READER_WANTED
      const { port1 } = new MessageChannel()
      const connection = new Connection(id, memory, port1)
      log.attach(connection)
      return {
        connection,
        moveTo(position: number): void {
          control[READER_CURSOR] = position
        }
      }
    },
    write(bytes: number): void {
      log.writer.commit(bytes)
      log.publish()
    }
  }
}
