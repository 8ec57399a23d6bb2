import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVER, appWith } from './testing/both-lanes.ts'

test('a constant value has a strong ETag, a handler’s has none', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/a', 'a')
    fast.text('/also-a', 'a')
    fast.text('/b', 'b')
    fast.text('/handler', () => 'a')
  })
  const tagOf = async (path: string): Promise<unknown> => (await ask(`GET ${path}`)).headers['etag']
  assert.match(String(await tagOf('/a')), /^"[\w-]+"$/)
  assert.equal(await tagOf('/a'), await tagOf('/also-a'))
  assert.notEqual(await tagOf('/a'), await tagOf('/b'))
  assert.equal(await tagOf('/handler'), undefined)
})

test('If-None-Match with the ETag gets 304 with the headers that a cache needs, and no body', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { cacheControl: 'max-age=1' }, 'a'))
  const { etag } = (await ask('GET /a')).headers
  for (const ifNoneMatch of [String(etag), `W/${String(etag)}`, `"other", ${String(etag)}`, '*']) {
    for (const method of ['GET', 'HEAD']) {
      assert.deepEqual(await ask(`${method} /a`, { 'if-none-match': ifNoneMatch }), {
        status: 304,
        headers: { ...SERVER, 'cache-control': 'max-age=1', etag },
        body: Buffer.alloc(0)
      })
    }
  }
  for (const ifNoneMatch of ['"other"', '', String(etag).slice(1, -1)]) {
    assert.equal((await ask('GET /a', { 'if-none-match': ifNoneMatch })).status, 200)
  }
})

test('only an answer of status 200 has an ETag and can become a 304', async () => {
  const ask = await appWith(({ fast }) => fast.route('/a', { status: 404, body: 'a' }))
  const { status, headers } = await ask('GET /a', { 'if-none-match': '*' })
  assert.equal(status, 404)
  assert.equal('etag' in headers, false)
})

test('If-None-Match makes a 304 of GET and HEAD only', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { methods: ['GET', 'POST'] }, 'a'))
  const { status } = await ask('POST /a', { 'if-none-match': '*' })
  assert.notEqual(status, 304)
})
