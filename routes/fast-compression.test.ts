import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { PAGE, appWith } from './testing/both-lanes.ts'

test('a long constant text is held in each coding, and negotiated', async () => {
  const ask = await appWith(({ fast }) => fast.html('/a', PAGE))
  const plain = await ask('GET /a')
  assert.equal(plain.body.toString(), PAGE)
  assert.equal(plain.headers['vary'], 'Accept-Encoding')
  assert.equal('content-encoding' in plain.headers, false)

  const decompress = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }
  const tags = new Set([plain.headers['etag']])
  for (const [coding, decode] of Object.entries(decompress)) {
    const { headers, body } = await ask('GET /a', { 'accept-encoding': coding })
    assert.equal(headers['content-encoding'], coding)
    assert.equal(headers['vary'], 'Accept-Encoding')
    assert.equal(headers['content-length'], String(body.length))
    assert.ok(body.length < PAGE.length)
    assert.equal(decode(body).toString(), PAGE)
    tags.add(headers['etag'])

    const again = await ask('GET /a', { 'accept-encoding': coding, 'if-none-match': String(headers['etag']) })
    assert.deepEqual([again.status, again.headers['vary']], [304, 'Accept-Encoding'])
    const other = await ask('GET /a', {
      'accept-encoding': coding,
      'if-none-match': String(plain.headers['etag'])
    })
    assert.equal(other.status, 200)
  }
  assert.equal(tags.size, 4)
  assert.equal((await ask('GET /a', { 'accept-encoding': 'deflate' })).body.toString(), PAGE)
})

test('compresses nothing that is short, is no text, is made by a handler, or should not be', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/short', 'a'.repeat(1023))
    fast.text('/off', { compress: false }, PAGE)
    fast.bytes('/bytes', Buffer.from(PAGE))
    fast.bytes('/image', { headers: { 'content-type': 'image/png' } }, Buffer.from(PAGE))
    fast.text('/handler', { compress: true }, () => PAGE)
  })
  for (const path of ['/short', '/off', '/bytes', '/image', '/handler']) {
    const { headers } = await ask(`GET ${path}`, { 'accept-encoding': 'br, gzip, zstd' })
    assert.deepEqual([headers['content-encoding'], headers['vary']], [undefined, undefined], path)
  }
})

test('compresses texts of 1 KiB, texts by their content type, and what the app asks for', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/text', 'a'.repeat(1024))
    fast.json('/json', { page: PAGE })
    fast.bytes('/asked', { compress: true }, Buffer.from(PAGE))
    fast.bytes('/css', { headers: { 'content-type': 'text/css' } }, Buffer.from(PAGE))
    fast.route('/svg', { headers: { 'content-type': 'image/svg+xml' }, body: PAGE })
    fast.route('/problem', {
      status: 404,
      headers: { 'content-type': 'application/problem+json' },
      body: PAGE
    })
  })
  for (const path of ['/text', '/json', '/asked', '/css', '/svg', '/problem']) {
    const { headers } = await ask(`GET ${path}`, { 'accept-encoding': 'gzip' })
    assert.equal(headers['content-encoding'], 'gzip', path)
  }
})

test('offers no coding that does not make the value shorter', async () => {
  let state = 1
  const noise = Buffer.from(
    Array.from({ length: 2000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 24
    })
  )
  const ask = await appWith(({ fast }) => fast.bytes('/noise', { compress: true }, noise))
  const { headers, body } = await ask('GET /noise', { 'accept-encoding': '*' })
  assert.deepEqual([headers['content-encoding'], headers['vary']], [undefined, undefined])
  assert.deepEqual(body, noise)
})
