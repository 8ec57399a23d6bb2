import { deepEqual, equal } from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { serve } from '../../serve.ts'
import type { ScherzoServer } from '../../server.ts'
import { skipWithoutBrowser } from '../../testing/browser.ts'
import { freePort } from '../../testing/ports.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import type { Status } from '../status.ts'
import { drawn, textOf } from './testing/reading.ts'
import { WatchedPages } from '../../testing/watched-pages.ts'

const skip = skipWithoutBrowser('the dashboard of a server that serves')

describe('the dashboard of a server that serves', { skip }, () => {
  let pages: WatchedPages

  before(async () => {
    pages = await WatchedPages.launch()
  })

  afterEach(() => pages.closePages())

  after(() => pages.close())

  test('shows the figures of /status', async () => {
    const server = await serveDemo('127.0.0.1:0')
    try {
      for (const [path, times] of [
        ['/fast', 12],
        ['/main', 7],
        ['/missing', 5],
        ['/broken', 3]
      ] as const) {
        for (let time = 0; time < times; time++) await (await fetch(server.address + path)).text()
      }
      const page = await pages.open(server.adminAddress!)
      const status = await settled(server, 27)
      await page.locator('[data-figure="requests"] .detail', { hasText: /^27 in total$/ }).waitFor()
      equal(await textOf(page, '[data-figure="errors"] .value'), '3')
      equal(await textOf(page, '[data-figure="errors"] .detail'), '5 client errors')
      equal(await textOf(page, '[data-field="version"]'), status.version)
      equal(await textOf(page, '[data-field="address"]'), status.address)
      equal(await textOf(page, '[data-field="runtime"]'), status.runtime)
      equal(await textOf(page, '[data-field="process"]'), String(status.pid))
      equal(await textOf(page, '[data-field="readiness"]'), 'Ready')
      const shown = await page
        .locator('[data-place="workers"] tbody tr')
        .evaluateAll((rows) =>
          rows.map((row) => Array.from((row as HTMLTableRowElement).cells, (cell) => cell.textContent))
        )
      deepEqual(
        shown.map((cells) => [cells[0], cells[1], cells[7], cells[10]]),
        status.workers.map((worker) => [String(worker.number), worker.state, String(requestsOf(worker)), '0'])
      )
      const openConnections = String((await statusOf(server)).totals.openConnections)
      await page
        .locator('[data-figure="connections"] .value', { hasText: new RegExp(`^${openConnections}$`) })
        .waitFor()
    } finally {
      await server.close()
    }
  })

  test('says that the server has gone, and goes on when it is back', async () => {
    const admin = `127.0.0.1:${await freePort()}`
    const first = await serveDemo(admin)
    const page = await pages.open(first.adminAddress!, { mayLose: true })
    await drawn(page, 'Event loops')
    await first.close()
    await page.getByText('The server does not answer.').waitFor()
    equal(await textOf(page, '[data-field="readiness"]'), 'No connection')
    const second = await serveDemo(admin)
    try {
      await (await fetch(`${second.address}/fast`)).text()
      await page.locator('[data-figure="requests"] .detail', { hasText: /^1 in total$/ }).waitFor()
      await page.locator('[data-field="readiness"]', { hasText: /^Ready$/ }).waitFor()
      await page.locator('[data-field="notice"]').waitFor({ state: 'hidden' })
      await drawn(page, 'Event loops')
    } finally {
      await second.close()
    }
  })
})

async function serveDemo(admin: string): Promise<ScherzoServer> {
  return serve(`${app}/app.ts`, { port: 0, workers: 2, admin, logLevel: 'silent' })
}

const app = temporaryFolder({
  'app.ts': `
    export default async function app(fastify) {
      fastify.fast.text('/fast', 'Hello, World!')
      fastify.get('/main', async () => 'main')
      fastify.get('/broken', async () => { throw new Error('broken') })
    }`
})

async function statusOf({ adminAddress }: ScherzoServer): Promise<Status> {
  return (await (await fetch(`${adminAddress}/status`)).json()) as Status
}

/** The last answer may be here before its worker has counted it. */
async function settled(server: ScherzoServer, requests: number): Promise<Status> {
  for (;;) {
    const status = await statusOf(server)
    if (requestsOf(status.totals) === requests) return status
  }
}

function requestsOf({ requests }: Pick<Status['totals'], 'requests'>): number {
  return [requests.fast, requests.main]
    .flatMap((lane) => Object.values(lane))
    .reduce((sum, each) => sum + each, 0)
}
