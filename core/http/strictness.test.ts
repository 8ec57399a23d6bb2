import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findFault, findHttp2Fault } from './strictness.ts'
import type { ReceivedHead } from './strictness.ts'

// The first test of the file: no good Host may have come by before.
test('refuses an empty Host even of the first request of all', () => {
  assert.equal(findFault(head({ rawHeaders: ['Host', ''] })), 'SCZ_ERR_HOST')
})

test('finds nothing wrong with a well-formed request', () => {
  assert.equal(findFault(head({})), null)
  assert.equal(findFault(head({ rawHeaders: ['Accept', '*/*', 'hOsT', '[::1]:80', 'Cookie', ''] })), null)
  assert.equal(findFault(head({ method: 'OPTIONS', target: '*' })), null)
  assert.equal(findFault(head({ rawHeaders: ['Host', 'a', 'Transfer-Encoding', 'chunked'] })), null)
})

test('refuses more than one Host, equal or not', () => {
  assert.equal(findFault(head({ rawHeaders: ['Host', 'a', 'Host', 'a'] })), 'SCZ_ERR_HOST')
  assert.equal(findFault(head({ rawHeaders: ['Host', 'a', 'X', 'y', 'HOST', 'b'] })), 'SCZ_ERR_HOST')
})

test('refuses a malformed Host', () => {
  for (const value of ['a, b', 'a b', 'user@a', 'a/b', 'a:b', 'http://a', '[::1']) {
    assert.equal(findFault(head({ rawHeaders: ['Host', value] })), 'SCZ_ERR_HOST', JSON.stringify(value))
  }
})

test('needs a Host in HTTP/1.1 and not in HTTP/1.0', () => {
  assert.equal(findFault(head({ rawHeaders: [] })), 'SCZ_ERR_HOST')
  assert.equal(findFault(head({ rawHeaders: ['X-Host', 'a', 'Hose', 'a'] })), 'SCZ_ERR_HOST')
  assert.equal(findFault(head({ rawHeaders: [], version: '1.0' })), null)
  assert.equal(findFault(head({ rawHeaders: ['Host', 'a', 'Host', 'a'], version: '1.0' })), 'SCZ_ERR_HOST')
})

test('is not misled by a header whose value is "Host"', () => {
  assert.equal(findFault(head({ rawHeaders: ['X', 'Host', 'Host', 'a', 'Y', 'host'] })), null)
})

test('refuses "*" as the target of anything but OPTIONS', () => {
  for (const method of ['GET', 'HEAD', 'POST', 'options']) {
    assert.equal(findFault(head({ method, target: '*' })), 'SCZ_ERR_TARGET', method)
  }
  assert.equal(findFault(head({ method: 'GET', target: '/*' })), null)
})

test('refuses an empty Transfer-Encoding', () => {
  for (const value of ['', ' ', ' \t']) {
    assert.equal(
      findFault(head({ rawHeaders: ['Host', 'a', 'tRansfer-Encoding', value] })),
      'SCZ_ERR_TRANSFER_ENCODING',
      JSON.stringify(value)
    )
  }
  assert.equal(findFault(head({ rawHeaders: ['Host', 'a', 'Transfer_Encoding', ''] })), null)
})

test('judges a Host in the same way whatever came before', () => {
  const value = fc.constantFrom('', 'a', 'A', 'a:80', 'b', 'a,b', 'a ', '[::1]', '[::1', 'x@y')
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
      findFault(head({ rawHeaders: ['Host', 'good.example'] }))
      for (const value of values) {
        const isGood = ['a', 'A', 'a:80', 'b', '[::1]'].includes(value)
        assert.equal(findFault(head({ rawHeaders: ['Host', value] })), isGood ? null : 'SCZ_ERR_HOST')
      }
    })
  )
})

function head(given: Partial<ReceivedHead>): ReceivedHead {
  return { method: 'GET', target: '/', version: '1.1', rawHeaders: ['Host', 'example.com'], ...given }
}

test('over HTTP/2, takes one well-formed name of the host, from either header or the same from both', () => {
  const head = { method: 'GET', target: '/', authority: null, host: null }
  for (const names of [{ authority: 'a:1' }, { host: 'a' }, { authority: 'a.example', host: 'A.example' }])
    assert.equal(findHttp2Fault({ ...head, ...names }), null, JSON.stringify(names))
  for (const names of [
    {},
    { authority: '' },
    { authority: 'a, b' },
    { host: 'me@a' },
    { authority: 'a', host: 'b' }
  ])
    assert.equal(findHttp2Fault({ ...head, ...names }), 'SCZ_ERR_HOST', JSON.stringify(names))
})

test('over HTTP/2, takes * for OPTIONS only', () => {
  const head = { target: '*', authority: 'a', host: null }
  assert.equal(findHttp2Fault({ ...head, method: 'OPTIONS' }), null)
  assert.equal(findHttp2Fault({ ...head, method: 'GET' }), 'SCZ_ERR_TARGET')
})
