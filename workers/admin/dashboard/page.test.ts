import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'
import { pino } from 'pino'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { Stats } from '../../metrics/stats.ts'
import { serve } from '../../serve.ts'
import type { ScherzoServer } from '../../server.ts'
import type { ServerView } from '../../server-view.ts'
import { launchBrowser, skipWithoutBrowser } from '../../testing/browser.ts'
import { fakeView, fakeWorker } from '../../testing/fake-view.ts'
import { freePort } from '../../testing/ports.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import { startAdmin } from '../admin.ts'
import type { AdminServer } from '../admin.ts'
import type { Status } from '../status.ts'

const CHARTS = ['Requests by lane', 'Latency', 'Connections', 'Deliveries', 'Event loops', 'Slow subscribers']

/** With `SCREENSHOTS=folder`, what the page looks like is kept there. */
const screenshots = process.env['SCREENSHOTS']

const skip = skipWithoutBrowser('the dashboard in a browser')

describe('the dashboard', { skip }, () => {
  let browser: Browser
  const admins: AdminServer[] = []
  const pages: Page[] = []
  /** What no page may do: complain, or ask another host. */
  const faults: string[] = []

  /** A server that has been busy for a while, for tests that change nothing of it. */
  let busy: AdminServer

  before(async () => {
    busy = await startOn(busyView())
    browser = await launchBrowser()
  })

  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()))
    await Promise.all(admins.splice(0).map((admin) => admin.close()))
    deepEqual(faults.splice(0), [])
  })

  after(async () => {
    await browser.close()
    await busy.close()
  })

  test('draws every chart of the runtime, with what has happened before it was opened', async () => {
    const page = await open(addressOf(busy))
    await Promise.all(CHARTS.map((title) => drawn(page, title)))
    deepEqual(await page.locator('figure:visible h2').allTextContents(), CHARTS)
    // A page that is opened now has the same past at once.
    const second = await open(addressOf(busy))
    await drawn(second, 'Connections')
    equal(await second.locator('figure canvas').count(), CHARTS.length)
  })

  test('has a chart for the pool where there is one', async () => {
    const page = await open(await startFake(busyView({ runtime: 'multithread' })))
    await drawn(page, 'Pool')
  })

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
      const page = await open(server.adminAddress!)
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
      const open_ = String((await statusOf(server)).totals.openConnections)
      await page
        .locator('[data-figure="connections"] .value', { hasText: new RegExp(`^${open_}$`) })
        .waitFor()
    } finally {
      await server.close()
    }
  })

  test('shows channels with their subscribers, and their names as text whatever they are', async () => {
    const evil = '<img src=x onerror="document.title=1">'
    const channels = new Map([
      ['ticks', 30],
      [evil, 2],
      ['chat', 1200]
    ])
    const page = await open(
      await startFake(busyView({ channels: async () => channels, offsetOf: () => 1234 }))
    )
    await page.locator('[data-place="channels"] tbody tr').nth(2).waitFor()
    deepEqual(await column(page, 'channels', 0), ['chat', 'ticks', evil])
    deepEqual(await column(page, 'channels', 1), ['1,200', '30', '2'])
    deepEqual(await column(page, 'channels', 3), ['1,234', '1,234', '1,234'])
    equal(await page.locator('[data-place="channels"] img').count(), 0)
  })

  test('says what is empty', async () => {
    const page = await open(await startFake(fakeView({ threads: [] })))
    await page.getByText('No channel has a subscriber').waitFor()
    await page.getByText('No worker is there').waitFor()
    await page.getByText('No requests in the last five minutes').waitFor()
    equal(await textOf(page, '[data-field="readiness"]'), 'Not ready: no worker is ready')
  })

  test('sorts its tables by keyboard, and keeps order and focus when new figures come', async () => {
    const page = await open(addressOf(busy))
    await page.locator('[data-place="workers"] tbody tr').nth(2).waitFor()
    deepEqual(await column(page, 'workers', 0), ['1', '2', '3'])
    const button = page.getByRole('button', { name: 'Loop busy' })
    for (
      let tabs = 0;
      tabs < 40 && !(await button.evaluate((each) => each === document.activeElement));
      tabs++
    )
      await page.keyboard.press('Tab')
    notEqual(await button.evaluate((each) => getComputedStyle(each).outlineStyle), 'none')
    await page.keyboard.press('Enter')
    deepEqual(await column(page, 'workers', 0), ['2', '3', '1'])
    equal(await sortOf(page, 'Loop busy'), 'descending')
    equal(await sortOf(page, 'Worker'), 'none')
    await page.keyboard.press('Space')
    deepEqual(await column(page, 'workers', 0), ['1', '3', '2'])
    equal(await sortOf(page, 'Loop busy'), 'ascending')
    await anotherSecond(page)
    deepEqual(await column(page, 'workers', 0), ['1', '3', '2'])
    ok(await button.evaluate((each) => each === document.activeElement))
  })

  test('tells the figures of a moment in a chart by keyboard', async () => {
    const page = await open(addressOf(busy))
    await drawn(page, 'Connections')
    const chart = page.locator('figure[data-chart="Connections"] .canvas')
    match((await chart.getAttribute('aria-label'))!, /^Connections: open 170, in the hub 150$/)
    await chart.focus()
    await page.keyboard.press('Home')
    match(await textOf(page, 'figure[data-chart="Connections"] .clock'), /^\d\d:\d\d:\d\d$/)
    await page.keyboard.press('Escape')
    equal(await textOf(page, 'figure[data-chart="Connections"] .clock'), '')
  })

  test('stands still while it is paused', async () => {
    const view = busyView()
    const page = await open(await startFake(view))
    await page.locator('[data-figure="connections"] .value', { hasText: /^170$/ }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused.').waitFor()
    const uptime = await textOf(page, '[data-field="uptime"]')
    view.threads[0]!.stats.set('openConnections', 200)
    // Another page shows what this one does not.
    const other = await open(page.url())
    await other.locator('[data-figure="connections"] .value', { hasText: /^200$/ }).waitFor()
    await anotherSecond(other)
    equal(await textOf(page, '[data-field="uptime"]'), uptime)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('[data-figure="connections"] .value', { hasText: /^200$/ }).waitFor()
  })

  test('says that the server has gone, and goes on when it is back', async () => {
    const admin = `127.0.0.1:${await freePort()}`
    const first = await serveDemo(admin)
    const page = await open(first.adminAddress!, { mayLose: true })
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

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [
      [1280, 900],
      [390, 844]
    ] as const) {
      test(`fits ${width} px, ${colorScheme}`, async () => {
        const page = await open(addressOf(busy), { viewport: { width, height }, colorScheme })
        await Promise.all(CHARTS.map((title) => drawn(page, title)))
        equal(await page.evaluate(() => document.documentElement.scrollWidth), width)
        for (const box of await page
          .locator('figure')
          .evaluateAll((all) => all.map((each) => each.getBoundingClientRect())))
          ok(box.left >= 0 && box.right <= width)
        const [red = 0] =
          /\d+/.exec(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) ?? []
        ok(colorScheme === 'dark' ? Number(red) < 64 : Number(red) > 192, `a page of ${red}`)
        if (screenshots === undefined) return
        mkdirSync(screenshots, { recursive: true })
        await page.screenshot({ path: `${screenshots}/${width}-${colorScheme}.png`, fullPage: true })
      })
    }
  }

  test('moves nothing for those who want that', async () => {
    const page = await open(addressOf(busy), { reducedMotion: 'reduce' })
    const durations = await page
      .locator('*')
      .evaluateAll((all) => all.map((each) => getComputedStyle(each).transitionDuration))
    deepEqual([...new Set(durations)], ['0s'])
  })

  async function startFake(view: ServerView): Promise<string> {
    const admin = await startOn(view)
    admins.push(admin)
    return addressOf(admin)
  }

  /** @param mayLose whether the page loses the server in this test: browsers complain of that themselves */
  async function open(
    address: string,
    { mayLose = false, ...options }: BrowserContextOptions & { mayLose?: boolean } = {}
  ): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage()
    pages.push(page)
    page.on('console', (message) => {
      if (!(mayLose && /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/.test(message.text())))
        faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(address).origin) faults.push(request.url())
    })
    await page.goto(address)
    return page
  }
})

/** Three workers that have done something, and do more whenever they are looked at. */
function busyView(given: Partial<ServerView> = {}): ServerView {
  const threads = [0.1, 0.9, 0.4].map((utilisation, index) => fakeWorker(index + 1, { utilisation }))
  const [first] = threads
  first!.stats.set('openConnections', 170)
  first!.stats.set('hubMembers', 150)
  first!.stats.set('hubSubscriptions', 300)
  first!.stats.set('poolThreads', 4)
  const retired = new Stats()
  const view = fakeView({ threads, retired, startedAt: Date.now() - 90_000, ...given })
  return Object.defineProperty({ ...view }, 'retired', {
    get: () => {
      retired.countRequests('fast', 200, 0.000_07, 4000)
      retired.countRequests('main', 200, 0.002, 900)
      retired.count('hubDelivered', 1500)
      return retired
    }
  })
}

function startOn(view: ServerView): Promise<AdminServer> {
  return startAdmin({ host: '127.0.0.1', port: 0 }, view, pino({ level: 'silent' }))
}

function addressOf({ host, port }: AdminServer): string {
  return `http://${host}:${port}`
}

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

/** Waits until the chart has a line: points of a colour that is not that of the grid or the text. */
async function drawn(page: Page, title: string): Promise<void> {
  await page.waitForFunction((name) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`figure[data-chart="${name}"] canvas`)
    if (canvas === null || canvas.width === 0 || canvas.height === 0) return false
    // Of a copy: browsers complain when they have to read back what they draw.
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
      willReadFrequently: true
    })!
    context.drawImage(canvas, 0, 0)
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4)
      if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) return true
    }
    return false
  }, title)
}

async function anotherSecond(page: Page): Promise<void> {
  const before = await textOf(page, '[data-field="uptime"]')
  await page.waitForFunction(
    (text) => document.querySelector('[data-field="uptime"]')?.textContent !== text,
    before
  )
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? ''
}

async function column(page: Page, place: string, index: number): Promise<(string | null)[]> {
  return page
    .locator(`[data-place="${place}"] tbody tr`)
    .evaluateAll((rows, at) => rows.map((row) => row.children[at]?.textContent ?? null), index)
}

async function sortOf(page: Page, title: string): Promise<string | null> {
  return page.getByRole('columnheader', { name: title }).first().getAttribute('aria-sort')
}
