import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { parseExposition } from '../testing/exposition.ts'
import { fakeView } from '../testing/fake-view.ts'
import { isFree, listenAlone } from '../testing/ports.ts'
import { RawClient } from '../testing/raw-client.ts'
import { startAdmin } from './admin.ts'
import type { AdminServer } from './admin.ts'
import { HERE, SILENT, get, start, urlOf } from './testing/started-admin.ts'

const manual = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8')

describe('the paths', () => {
  test('are listed by / and in the manual', async () => {
    const admin = await start(fakeView())
    const response = await get(admin, '/')
    equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
    const listed = [...(await response.text()).matchAll(/^(\/\S+)/gm)].map(([, path]) => path)
    deepEqual(listed, ['/livez', '/readyz', '/metrics', '/status'])
    for (const path of listed) {
      equal((await get(admin, path!)).status, 200)
      ok(manual.includes(`| \`${path}\` |`), path)
    }
  })

  test('are the only ones, and take no other method', async () => {
    const admin = await start(fakeView())
    equal((await get(admin, '/other')).status, 404)
    equal((await fetch(urlOf(admin, '/livez'), { method: 'HEAD' })).status, 200)
    equal((await fetch(urlOf(admin, '/status'), { method: 'POST' })).status, 404)
    equal((await fetch(urlOf(admin, '/livez'), { method: 'DELETE' })).status, 404)
  })
})

describe('the Host of a request', () => {
  test('can be an address, localhost or the configured name', async () => {
    const admin = await start(fakeView(), { host: 'localhost', port: 0 })
    for (const host of [`127.0.0.1:${admin.port}`, '[::1]:9000', `localhost:${admin.port}`])
      equal((await getAs(admin, host, '/livez')).status, 200, host)
  })

  test('that is another name is refused on every path, also on those that do not exist', async () => {
    const admin = await start(fakeView())
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/status', '/other']) {
      const { status, body } = await getAs(admin, 'evil.example', path)
      equal(status, 403, path)
      const { code, message } = JSON.parse(body) as { code: string; message: string }
      equal(code, 'SCZ_ERR_ADMIN_HOST')
      match(message, /"evil\.example"/)
    }
  })

  test('may be missing in HTTP/1.0', async () => {
    const admin = await start(fakeView())
    const client = await RawClient.open(admin.port)
    client.send('GET /livez HTTP/1.0\r\n\r\n')
    match(await client.closed, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/)
  })
})

describe('the address', () => {
  test('that another server has is refused', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    await rejects(startAdmin({ host: '127.0.0.1', port }, fakeView(), SILENT), {
      code: 'SCZ_ERR_ADMIN_LISTEN',
      message: `Cannot listen on 127.0.0.1:${port} for the admin server (--admin): the port is in use; stop the other server or choose another port`
    })
    other.close()
  })

  test('that is not of this machine is refused', async () => {
    await rejects(startAdmin({ host: '192.0.2.1', port: 0 }, fakeView(), SILENT), {
      code: 'SCZ_ERR_ADMIN_LISTEN',
      message:
        'Cannot listen on 192.0.2.1:0 for the admin server (--admin): this machine does not have that address'
    })
  })

  test('is free when the admin server has closed, though connections were idle, silent or half way', async () => {
    const admin = await startAdmin(HERE, fakeView(), SILENT)
    const idle = await RawClient.open(admin.port)
    idle.send('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await idle.receive(/ok$/)
    const silent = await RawClient.open(admin.port)
    const halfWay = await RawClient.open(admin.port)
    halfWay.send('GET /livez HTTP/1.1\r\nHost:')
    await admin.close()
    await Promise.all([idle.closed, silent.closed, halfWay.closed])
    ok(await isFree(admin.port))
    // A second time changes nothing.
    await admin.close()
  })

  test('is answered for until every answer is whole, when the admin server closes meanwhile', async () => {
    const admin = await startAdmin(HERE, fakeView(), SILENT)
    const client = await RawClient.open(admin.port)
    client.send('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(20))
    await client.receive(/^HTTP/)
    await admin.close()
    const answers = (await client.closed).split('HTTP/1.1 200 OK\r\n').slice(1)
    equal(answers.length, 20)
    for (const answer of answers) parseExposition(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  })
})

describe('what can not be answered', () => {
  test('is a 500 that the log has the reason of, and no more', async () => {
    const lines: string[] = []
    const view = Object.defineProperty({ ...fakeView() }, 'threads', {
      get: () => {
        throw new Error('out of luck')
      }
    })
    const admin = await start(view, HERE, pino({}, { write: (line: string) => void lines.push(line) }))
    equal((await get(admin, '/metrics')).status, 500)
    equal((await get(admin, '/other')).status, 404)
    equal((await getAs(admin, 'evil.example', '/')).status, 403)
    deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['The admin server could not answer /metrics: out of luck']
    )
    equal((await get(admin, '/livez')).status, 200)
  })
})

/** With a Host of its own, which fetch() does not take. */
function getAs(admin: AdminServer, host: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { host: hostname, port } = admin
    const sent = request({ host: hostname, port, path, headers: { host } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('error', reject).end()
  })
}
