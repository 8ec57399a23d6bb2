import { deepEqual, equal, ok } from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { startServing } from './testing/child.ts'
import type { Child } from './testing/child.ts'
import { RawClient } from './testing/raw-client.ts'
import { SteadyLoad } from './testing/steady-load.ts'

const app = fileURLToPath(new URL('./testing/operated-app.ts', import.meta.url))
const WORKERS = 3
const KILLS = 50
const RELOADS = 20
const LOAD = { kept: 24, fresh: 8 }

describe('under steady load', () => {
  test(`${KILLS} workers die of an error in the app, and only connections of theirs lose anything`, async (t) => {
    const { child, port } = await serve()
    const load = new SteadyLoad(port, LOAD)
    const dead: string[] = []
    for (let kill = 1; kill <= KILLS; kill++) {
      dead.push(await killOne(port))
      // One of them is always there.
      await child.printed(new RegExp(`(serves again[^]*?){${kill - 1}}`))
    }
    await child.printed(new RegExp(`(serves again[^]*?){${KILLS}}`))
    const result = await load.stop()
    report(t, result)
    deepEqual(result.wrong, [])
    deepEqual(
      result.lostOnThread.filter((thread) => !dead.includes(thread)),
      []
    )
    equal(result.refused, 0)
    equal((await threadsOf(port)).size, WORKERS)
    await stop(child)
  })

  test(`${RELOADS} reloads lose no request on a connection that was answered before`, async (t) => {
    const { child, port } = await serve()
    const load = new SteadyLoad(port, LOAD)
    for (let reload = 1; reload <= RELOADS; reload++) {
      const { answered } = load
      child.signal('SIGHUP')
      await child.printed(new RegExp(`(Reloaded ${WORKERS} workers[^]*?){${reload}}`))
      ok(load.answered > answered)
    }
    const result = await load.stop()
    report(t, result)
    deepEqual([result.wrong, result.lostOnThread, result.refused], [[], [], 0])
    // The kernel resets what a listener has not accepted when it closes, unless net.ipv4.tcp_migrate_req is set.
    ok(result.lostAtOpening <= RELOADS * WORKERS, `${result.lostAtOpening} connections were reset`)
    equal((await threadsOf(port)).size, WORKERS)
    await stop(child)
  })
})

function serve(): Promise<{ child: Child; port: number }> {
  return startServing([app, '--workers', String(WORKERS), '--drain-timeout', '5'])
}

/** Makes a worker die once it has answered, and gives its thread. */
async function killOne(port: number): Promise<string> {
  for (;;) {
    const client = await RawClient.open(port)
    client.send('GET /fail HTTP/1.1\r\nHost: a\r\n\r\n')
    const response = await client.closed
    const thread = /^x-thread: (\d+)\r\n/m.exec(response)?.[1]
    if (thread !== undefined) return thread
  }
}

/** The threads that answer. */
async function threadsOf(port: number): Promise<Set<string>> {
  const threads = new Set<string>()
  for (let count = 0; count < 50 * WORKERS; count++) {
    const response = await fetch(`http://127.0.0.1:${port}/item/1`, { headers: { connection: 'close' } })
    equal(await response.text(), 'item 1')
    threads.add(response.headers.get('x-thread') ?? '')
  }
  return threads
}

function report(
  t: TestContext,
  { answered, connections, lostOnThread, lostAtOpening }: Awaited<ReturnType<SteadyLoad['stop']>>
): void {
  t.diagnostic(
    `${answered} requests on ${connections} connections, ${lostOnThread.length} lost on threads that died, ${lostAtOpening} connections reset before their first answer`
  )
}

async function stop(child: Child): Promise<void> {
  child.signal('SIGTERM')
  const { code } = await child.ended
  equal(code, 0)
}
