import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { serve } from '../serve.ts'
import { parseExposition, valueOf } from '../testing/exposition.ts'
import { freePort, isFree, listenAlone } from '../testing/ports.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

describe('a server that starts and drains', () => {
  test('is asked by its own app: alive, not ready, and watched all the while', async () => {
    const port = await freePort()
    const folder = temporaryFolder({
      'app.ts': `
        import { appendFileSync } from 'node:fs'
        async function ask() {
          for (const path of ['/livez', '/readyz', '/metrics', '/status']) {
            const response = await fetch('http://127.0.0.1:${port}' + path)
            const text = await response.text()
            const told = path === '/status' ? JSON.parse(text).state : path === '/metrics' ? 'text' : text
            appendFileSync(new URL('./answers.txt', import.meta.url), [path, response.status, told].join(' ') + '\\n')
          }
        }
        export default async function app(fastify) {
          await ask()
          fastify.addHook('onClose', ask)
        }`
    })
    const admin = `127.0.0.1:${port}`
    const server = await serve(`${folder}/app.ts`, { port: 0, workers: 1, admin, logLevel: 'silent' })
    equal(server.adminAddress, `http://${admin}`)
    await server.close()
    deepEqual(readFileSync(`${folder}/answers.txt`, 'utf8').split('\n'), [
      '/livez 200 ok',
      '/readyz 503 starting',
      '/metrics 200 text',
      '/status 200 starting',
      '/livez 200 ok',
      '/readyz 503 draining',
      '/metrics 200 text',
      '/status 200 draining',
      ''
    ])
    ok(await isFree(port))
  })

  test('does not start when the address of its admin server is taken', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    const folder = temporaryFolder({ 'app.ts': 'export default async function app() {}' })
    const own = await freePort()
    await rejects(
      serve(`${folder}/app.ts`, { port: own, workers: 1, admin: `127.0.0.1:${port}`, logLevel: 'silent' }),
      { code: 'SCZ_ERR_ADMIN_LISTEN' }
    )
    ok(await isFree(own))
    other.close()
  })
})

describe('the counters of a server', () => {
  const app = temporaryFolder({
    'app.ts': `
      export default async function app(fastify) {
        fastify.fast.json('/fast', () => ({ ok: true }))
        fastify.fast.text('/fast-text', 'Hello, World!')
        fastify.get('/main', async () => 'main')
        fastify.get('/broken', async () => { throw new Error('broken') })
      }`
  })

  test('are those of the requests that were made, and do not go back when the server reloads', async () => {
    const server = await serve(`${app}/app.ts`, {
      port: 0,
      workers: 2,
      admin: '127.0.0.1:0',
      logLevel: 'silent'
    })
    try {
      const ask = async (path: string, status: number, times: number): Promise<void> => {
        for (let time = 0; time < times; time++) {
          const response = await fetch(server.address + path)
          equal(response.status, status)
          await response.text()
        }
      }
      const requestsOf = async (): Promise<Record<string, number>> => {
        const families = parseExposition(await (await fetch(`${server.adminAddress}/metrics`)).text())
        const { samples } = families.get('scherzo_requests_total')!
        ok(valueOf(families, 'scherzo_connections_total') > 0)
        return Object.fromEntries(
          samples
            .filter(({ value }) => value > 0)
            .map(({ labels, value }) => [`${labels.get('lane')} ${labels.get('status_class')}`, value])
        )
      }
      const settled = async (expected: Record<string, number>): Promise<void> => {
        const sum = Object.values(expected).reduce((total, each) => total + each, 0)
        for (;;) {
          const found = await requestsOf()
          // The last answer may be here before its worker has counted it.
          if (Object.values(found).reduce((total, each) => total + each, 0) < sum) continue
          deepEqual(found, expected)
          return
        }
      }
      equal(await (await fetch(`${server.adminAddress}/readyz`)).text(), 'ready')
      await ask('/fast', 200, 30)
      await ask('/fast-text', 200, 20)
      await ask('/main', 200, 30)
      await ask('/missing', 404, 15)
      await ask('/broken', 500, 5)
      await settled({ 'fast 2xx': 50, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      await server.reload()
      await settled({ 'fast 2xx': 50, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      await ask('/fast', 200, 1)
      await settled({ 'fast 2xx': 51, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      const families = parseExposition(await (await fetch(`${server.adminAddress}/metrics`)).text())
      const latencies = ['fast', 'main'].map((lane) =>
        valueOf(families, 'scherzo_request_duration_seconds_count', { lane })
      )
      deepEqual(latencies, [51, 50])
      const status = (await (await fetch(`${server.adminAddress}/status`)).json()) as { reloads: number }
      equal(status.reloads, 1)
    } finally {
      await server.close()
    }
    const { port } = new URL(server.adminAddress!)
    ok(await isFree(Number(port)))
  })
})
