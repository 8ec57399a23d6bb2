import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Answer, Head } from './answer.ts'

const head = new Head(200, { server: 'scherzo', 'content-type': 'text/plain' })

test('a head is a status line and its headers in their order', () => {
  assert.equal(head.text, 'HTTP/1.1 200 OK\r\nserver: scherzo\r\ncontent-type: text/plain\r\n')
  assert.equal(new Head(404, {}).text, 'HTTP/1.1 404 Not Found\r\n')
  assert.equal(new Head(599, {}).text, 'HTTP/1.1 599 unknown\r\n')
})

test('a head of 204 and 304 has no body, any other has', () => {
  assert.deepEqual(
    [200, 201, 204, 205, 304, 404, 500].filter((status) => !new Head(status, {}).hasBody),
    [204, 304]
  )
})

test('a text of ASCII is sent as text', () => {
  const answer = Answer.ofText(head, 'Hello')
  assert.equal(answer.start, `${head.text}content-length: 5\r\n`)
  assert.deepEqual([answer.text, answer.bytes, answer.payload], ['Hello', null, Buffer.from('Hello')])
  assert.deepEqual(answer.fields, { server: 'scherzo', 'content-type': 'text/plain', 'content-length': '5' })
})

test('a text beyond ASCII is counted and sent in UTF-8', () => {
  const answer = Answer.ofText(head, 'Grüße')
  assert.equal(answer.start, `${head.text}content-length: 7\r\n`)
  assert.equal(answer.text, Buffer.from('Grüße').toString('latin1'))
  assert.deepEqual(answer.payload, Buffer.from('Grüße'))
})

test('an empty body is an empty body, not none', () => {
  for (const answer of [Answer.ofText(head, ''), Answer.ofBytes(head, new Uint8Array(0))]) {
    assert.equal(answer.start, `${head.text}content-length: 0\r\n`)
    assert.equal(answer.text, '')
    assert.equal(String(answer.payload), '')
    assert.equal(answer.fields['content-length'], '0')
  }
})

test('a body of more than 4 KiB is bytes only', () => {
  for (const make of [
    (length: number) => Answer.ofText(head, 'x'.repeat(length)),
    (length: number) => Answer.ofBytes(head, Buffer.alloc(length, 'x'))
  ]) {
    assert.equal(make(4096).text, 'x'.repeat(4096))
    assert.equal(make(4097).text, null)
    assert.deepEqual(make(4097).bytes, Buffer.alloc(4097, 'x'))
  }
  assert.equal(Answer.ofText(head, 'ä'.repeat(2049)).text, null)
})

test('bytes may be a part of a larger buffer', () => {
  const whole = Uint8Array.from(Buffer.from('[part]'))
  const answer = Answer.ofBytes(head, whole.subarray(1, 5))
  assert.equal(answer.text, 'part')
  assert.deepEqual(answer.payload, Buffer.from('part'))
})

test('an answer without a body has no Content-Length and no payload', () => {
  for (const status of [204, 304]) {
    const answer = Answer.withoutBody(new Head(status, { etag: '"a"' }))
    assert.equal(answer.start, answer.head.text)
    assert.deepEqual(answer.fields, { etag: '"a"' })
    assert.deepEqual([answer.text, answer.payload], ['', undefined])
  }
})

test('both lanes send the same bytes for any body', () => {
  const body = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.nat(5000).map((length) => 'ab'.repeat(length)),
    fc.uint8Array({ maxLength: 50 })
  )
  fc.assert(
    fc.property(body, (body) => {
      const answer = typeof body === 'string' ? Answer.ofText(head, body) : Answer.ofBytes(head, body)
      const expected = Buffer.from(body as string)
      const fast = answer.text === null ? answer.bytes! : Buffer.from(answer.text, 'latin1')
      assert.deepEqual([fast, answer.payload], [expected, expected])
      assert.equal(answer.start, `${head.text}content-length: ${expected.length}\r\n`)
      assert.equal(answer.fields['content-length'], String(expected.length))
    })
  )
})
