import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseReader } from './response-reader.ts'

const bytes = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 2\r\n\r\nhi' +
    'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
)

test('takes pipelined responses apart in their order', () => {
  const responses = new ResponseReader().push(bytes)
  assert.deepEqual(
    responses.map(({ status, body }) => [status, body]),
    [
      [200, 'hi'],
      [404, '']
    ]
  )
  assert.equal(responses[0]?.headers.get('content-type'), 'text/plain')
})

test('gives the same responses wherever the bytes are cut', () => {
  const whole = new ResponseReader().push(bytes)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new ResponseReader()
    assert.deepEqual([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))], whole)
  }
})

test('refuses a response without Content-Length', () => {
  assert.throws(() => new ResponseReader().push(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), /Content-Length/)
})
