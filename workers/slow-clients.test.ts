import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startServing } from './testing/child.ts'
import { RawClient } from './testing/raw-client.ts'
import { SteadyLoad } from './testing/steady-load.ts'

const app = fileURLToPath(new URL('./testing/operated-app.ts', import.meta.url))
/** Of each kind. */
const CLIENTS = 2000
/** They connect in groups: the test is about slow clients, not about a full accept queue. */
const GROUP = 250
/** Beyond what the server had, in bytes. Buffers of the kernel do not count, what the process holds for a client does. */
const MEMORY_LIMIT = 300_000_000

const LIMITS = ['--headers-timeout', '3', '--request-timeout', '4', '--send-timeout', '3']

test(`${CLIENTS} clients each that are slow with headers, slow with bodies or never read are cut, and the rest is served`, async (t) => {
  const { child, port, pid } = await startServing([app, '--workers', '2', ...LIMITS])
  const before = residentMemory(pid)
  const load = new SteadyLoad(port, { kept: 8, fresh: 2 })
  const clients = {
    header: await open(port, 'GET /item/1 HTTP/1.1\r\nHost: a\r\nX-Slow: '),
    body: await open(
      port,
      'POST /body HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n'
    ),
    main: await openDeaf(port, 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4)),
    fast: await openDeaf(port, 'GET /large-fast HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20))
  }
  const drip = setInterval(() => {
    for (const client of [...clients.header, ...clients.body]) if (!client.socket.destroyed) client.send('a')
  }, 500)

  let peak = 0
  const { answered } = load
  for (let isOver = false; !isOver; await delay(250)) {
    peak = Math.max(peak, residentMemory(pid))
    isOver = (await openConnections(port)) <= 20
  }
  clearInterval(drip)
  t.diagnostic(
    `${Math.round((peak - before) / 1_000_000)} MB beyond the ${Math.round(before / 1_000_000)} MB before`
  )

  for (const client of [...clients.header, ...clients.body]) match(await client.closed, /^HTTP\/1\.1 408 /)
  for (const client of [...clients.main, ...clients.fast]) client.close()
  ok(peak - before < MEMORY_LIMIT, `${peak - before} bytes`)
  const result = await load.stop()
  ok(result.answered > answered)
  deepEqual([result.wrong, result.lostOnThread, result.lostAtOpening, result.refused], [[], [], 0, 0])
  child.signal('SIGTERM')
  equal((await child.ended).code, 0)
})

async function open(port: number, bytes: string): Promise<RawClient[]> {
  return openGroups(port, bytes, CLIENTS, true)
}

/** Clients that ask and do not read what comes. */
async function openDeaf(port: number, bytes: string): Promise<RawClient[]> {
  return openGroups(port, bytes, CLIENTS / 2, false)
}

async function openGroups(port: number, bytes: string, count: number, reads: boolean): Promise<RawClient[]> {
  const clients: RawClient[] = []
  while (clients.length < count) {
    const group = await Promise.all(Array.from({ length: GROUP }, () => RawClient.open(port)))
    for (const client of group) {
      if (!reads) client.socket.pause()
      client.send(bytes)
    }
    clients.push(...group)
  }
  return clients
}

function residentMemory(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

/** The connections that the server has, as the kernel knows them. */
function openConnections(serverPort: number): number {
  const suffix = `:${serverPort.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  return lines.filter((line) => line.split(/ +/)[2]?.endsWith(suffix) && line.split(/ +/)[4] === '01').length
}
