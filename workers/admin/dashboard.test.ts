import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { fakeView } from '../testing/fake-view.ts'
import { RawClient } from '../testing/raw-client.ts'
import { get, start, urlOf } from './testing/started-admin.ts'

test('browsers get the page at /, and others the list of paths', async () => {
  const admin = await start(fakeView())
  const page = await get(admin, '/', 'text/html,application/xhtml+xml,*/*;q=0.8')
  equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  match(await page.text(), /^<!doctype html>/)
  const list = await get(admin, '/')
  equal(list.headers.get('content-type'), 'text/plain; charset=utf-8')
  match(await list.text(), /\/metrics/)
  for (const { headers } of [page, list]) equal(headers.get('vary'), 'accept')
})

test('the page and its files may load nothing but what this server has, and no other page may frame it', async () => {
  const admin = await start(fakeView())
  for (const path of ['/', '/dashboard/main.js']) {
    const { headers } = await get(admin, path, 'text/html')
    const policy = headers.get('content-security-policy')!
    match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
    match(policy, /frame-ancestors 'none'/)
    doesNotMatch(policy, /unsafe|http|\*/)
    equal(headers.get('x-content-type-options'), 'nosniff')
    equal(headers.get('cross-origin-resource-policy'), 'same-origin')
    equal(headers.get('referrer-policy'), 'no-referrer')
  }
})

test('every file that the page names is there, the charts of the package too', async () => {
  const admin = await start(fakeView())
  const seen = new Map([['/', await (await get(admin, '/', 'text/html')).text()]])
  for (const text of seen.values()) {
    for (const [, own, relative] of text.matchAll(
      /(?:src|href)="(\/dashboard\/[^"]+)"|from '\.\/([^']+)'/g
    )) {
      const path = own ?? `/dashboard/${relative}`
      if (seen.has(path)) continue
      const response = await get(admin, path)
      equal(response.status, 200, path)
      match(
        response.headers.get('content-type')!,
        /^(?:text\/(?:javascript|css); charset=utf-8|image\/svg\+xml)$/
      )
      seen.set(path, await response.text())
    }
  }
  for (const path of [
    '/dashboard/uplot.js',
    '/dashboard/uplot.css',
    '/dashboard/charts.js',
    '/dashboard/icon.svg'
  ])
    ok(seen.has(path), path)
})

test('nothing else of the folder or beside it is served', async () => {
  const admin = await start(fakeView())
  for (const path of [
    '/dashboard/',
    '/dashboard/index.html',
    '/dashboard/tsconfig.json',
    '/dashboard/format.test.ts',
    '/dashboard/..%2fadmin.ts',
    '/dashboard/../../../package.json'
  ])
    equal((await get(admin, path)).status, 404, path)
})

test('the events are a stream that begins with the past and the present', async () => {
  const admin = await start(fakeView())
  const client = await RawClient.open(admin.port)
  client.send('GET /dashboard/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  const text = await client.receive(/event: now\nid: \d+-0\ndata: \{.*\}\n\n/)
  match(text, /^HTTP\/1\.1 200 OK\r\n/)
  const head = text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase()
  for (const line of [
    'content-type: text/event-stream',
    'cache-control: no-store',
    'x-content-type-options: nosniff'
  ])
    ok(head.includes(`\r\n${line}`), line)
  match(text, /event: history\nretry: 1000\ndata: \{"server":\d+,"isWhole":true,"points":\[\]\}\n\n/)
  // Whoever watches does not keep the admin server from closing.
  await admin.close()
  await client.closed
})

test('the events are refused to a page with a name of its own, and to HEAD', async () => {
  const admin = await start(fakeView())
  const client = await RawClient.open(admin.port)
  client.send('GET /dashboard/events HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  match(await client.closed, /^HTTP\/1\.1 403 /)
  equal((await fetch(urlOf(admin, '/dashboard/events'), { method: 'HEAD' })).status, 404)
})

test('when too many watch the next one is told so, until one leaves', async () => {
  const admin = await start(fakeView())
  const clients = await Promise.all(Array.from({ length: 64 }, () => RawClient.open(admin.port)))
  for (const client of clients) client.send('GET /dashboard/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await Promise.all(clients.map((client) => client.receive(/event: history/)))
  const refused = await get(admin, '/dashboard/events')
  deepEqual([refused.status, await refused.text()], [503, 'too many are watching'])
  await admin.close()
})
