import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOptions } from './fast-options.ts'
import { StaticRoute } from './fast-route.ts'
import { ReadingMemo } from './memo.ts'
import { readCalls } from './reading.ts'
import type { Reading } from './reading.ts'
import { FastTable } from './table.ts'

const table = new FastTable()
for (const path of ['/a', '/b']) {
  const options = readOptions(path, {}, 'text/plain', [])
  table.add('GET', path, new StaticRoute(path, options, 200, Buffer.from(path)))
}

const GET_A = 'GET /a HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n'

test('knows nothing at first, and a chunk from its second time on', () => {
  const memo = new ReadingMemo()
  const chunk = Buffer.from(GET_A)
  assert.equal(memo.find(chunk), null)
  memo.offer(chunk, readCalls(chunk, table))
  assert.equal(memo.find(chunk), null)
  const reading = readCalls(chunk, table)
  memo.offer(chunk, reading)
  assert.equal(memo.find(chunk), reading)
  assert.equal(memo.find(Buffer.from(GET_A)), reading)
})

test('finds a chunk only if every byte is the same', () => {
  const { memo, reading } = memoWith(GET_A)
  for (let at = 0; at < GET_A.length; at++) {
    for (const change of [0x01, 0x20, 0x80]) {
      const other = Buffer.from(GET_A)
      other[at] = other[at]! ^ change
      assert.equal(memo.find(other), null, `byte ${at}`)
    }
  }
  for (const other of ['', GET_A.slice(1), GET_A.slice(0, -1), `${GET_A}\r`, GET_A + GET_A]) {
    assert.equal(memo.find(Buffer.from(other)), null)
  }
  assert.equal(memo.find(Buffer.from(GET_A)), reading)
})

test('keeps its own copy of the bytes', () => {
  const memo = new ReadingMemo()
  const chunk = Buffer.from(GET_A)
  const reading = readCalls(chunk, table)
  teach(memo, chunk, reading)
  chunk.write('/b', GET_A.indexOf('/a'))
  assert.equal(memo.find(chunk), null)
  assert.equal(memo.find(Buffer.from(GET_A)), reading)
})

test('keeps only what was read to its last byte', () => {
  for (const text of [
    `${GET_A}GET /a HT`,
    `${GET_A}POST / HTTP/1.1\r\n\r\n`,
    'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET'
  ]) {
    assert.equal(memoWith(text).memo.find(Buffer.from(text)), null, text)
  }
})

test('keeps chunks of up to 4 KiB', () => {
  assert.equal(chunkOf(4096).length, 4096)
  assert.notEqual(memoWith(chunkOf(4096)).memo.find(Buffer.from(chunkOf(4096))), null)
  assert.equal(memoWith(chunkOf(4097)).memo.find(Buffer.from(chunkOf(4097))), null)
})

test('goes on finding right things while thousands of chunks pass through', () => {
  const memo = new ReadingMemo()
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 2000; number++) {
      const chunk = Buffer.from(`GET /a?n=${number} HTTP/1.1\r\nHost: example.com\r\n\r\n`)
      const found = memo.find(chunk)
      const plain = readCalls(chunk, table)
      if (found === null) memo.offer(chunk, plain)
      else assert.deepEqual(found, plain)
    }
  }
})

test('reads with the memo what it reads without it', () => {
  const path = fc.constantFrom('/a', '/b', '/c', '/a?x=1', '/a?x=2', '/b?x=1')
  const filler = fc.constantFrom('', 'X: 1\r\n', 'X: 2\r\n', 'Connection: close\r\n', 'Upgrade: x\r\n')
  const request = fc
    .tuple(path, filler)
    .map(([path, line]) => `GET ${path} HTTP/1.1\r\nHost: example.com\r\n${line}\r\n`)
  const chunk = fc
    .tuple(fc.array(request, { maxLength: 3 }), fc.constantFrom('', '', '', 'GET', 'x'))
    .map(([requests, rest]) => requests.join('') + rest)
  let hits = 0
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(3)), (chunks, order) => {
      const memo = new ReadingMemo()
      for (const index of order) {
        const bytes = Buffer.from(chunks[index % chunks.length]!)
        const plain = readCalls(bytes, table)
        const found = memo.find(bytes)
        if (found === null) memo.offer(bytes, plain)
        else hits++
        assert.deepEqual(found ?? plain, plain)
      }
    }),
    { numRuns: 500 }
  )
  assert.ok(hits > 100, `${hits} hits`)
})

/** A request of so many bytes. */
function chunkOf(length: number): string {
  return GET_A.replace('*/*', 'x'.repeat(length - GET_A.length + 3))
}

function memoWith(text: string): { memo: ReadingMemo; reading: Reading } {
  const memo = new ReadingMemo()
  const chunk = Buffer.from(text)
  const reading = readCalls(chunk, table)
  teach(memo, chunk, reading)
  return { memo, reading }
}

/** A chunk is kept when it comes a second time. */
function teach(memo: ReadingMemo, chunk: Buffer, reading: Reading): void {
  for (let time = 0; time < 2; time++) {
    assert.equal(memo.find(chunk), null)
    memo.offer(chunk, reading)
  }
}
