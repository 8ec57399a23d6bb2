import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'
import { pino } from 'pino'
import type { ServerView } from '../../server-view.ts'
import { skipWithoutBrowser } from '../../testing/browser.ts'
import { fakeView } from '../../testing/fake-view.ts'
import { startAdmin } from '../admin.ts'
import type { AdminServer } from '../admin.ts'
import { busyView } from './testing/busy-view.ts'
import { anotherSecond, column, drawn, sortOf, textOf } from './testing/reading.ts'
import { WatchedPages } from '../../testing/watched-pages.ts'

const CHARTS = ['Requests by lane', 'Latency', 'Connections', 'Deliveries', 'Event loops', 'Slow subscribers']

/** With `SCREENSHOTS=folder`, what the page looks like is kept there. */
const screenshots = process.env['SCREENSHOTS']

const skip = skipWithoutBrowser('the dashboard in a browser')

describe('the dashboard', { skip }, () => {
  let pages: WatchedPages
  /** A server that has been busy for a while, for tests that change nothing of it. */
  let busy: AdminServer
  const admins: AdminServer[] = []

  before(async () => {
    busy = await startOn(busyView())
    pages = await WatchedPages.launch()
  })

  afterEach(async () => {
    // The pages first: one that loses its server complains.
    try {
      await pages.closePages()
    } finally {
      await Promise.all(admins.splice(0).map((admin) => admin.close()))
    }
  })

  after(async () => {
    await pages.close()
    await busy.close()
  })

  test('draws every chart of the runtime, with what has happened before it was opened', async () => {
    const page = await pages.open(addressOf(busy))
    await Promise.all(CHARTS.map((title) => drawn(page, title)))
    deepEqual(await page.locator('figure:visible h2').allTextContents(), CHARTS)
    // A page that is opened now has the same past at once.
    const second = await pages.open(addressOf(busy))
    await drawn(second, 'Connections')
    equal(await second.locator('figure canvas').count(), CHARTS.length)
  })

  test('has a chart for the pool where there is one', async () => {
    const page = await pages.open(await startFake(busyView({ runtime: 'multithread' })))
    await drawn(page, 'Pool')
  })

  test('shows channels with their subscribers, and their names as text whatever they are', async () => {
    const evil = '<img src=x onerror="document.title=1">'
    const channels = new Map([
      ['ticks', 30],
      [evil, 2],
      ['chat', 1200]
    ])
    const page = await pages.open(
      await startFake(busyView({ channels: async () => channels, offsetOf: () => 1234 }))
    )
    await page.locator('[data-place="channels"] tbody tr').nth(2).waitFor()
    deepEqual(await column(page, 'channels', 0), ['chat', 'ticks', evil])
    deepEqual(await column(page, 'channels', 1), ['1,200', '30', '2'])
    deepEqual(await column(page, 'channels', 3), ['1,234', '1,234', '1,234'])
    equal(await page.locator('[data-place="channels"] img').count(), 0)
  })

  test('says what is empty', async () => {
    const page = await pages.open(await startFake(fakeView({ threads: [] })))
    await page.getByText('No channel has a subscriber').waitFor()
    await page.getByText('No worker is there').waitFor()
    await page.getByText('No requests in the last five minutes').waitFor()
    equal(await textOf(page, '[data-field="readiness"]'), 'Not ready: no worker is ready')
  })

  test('sorts its tables by keyboard, and keeps order and focus when new figures come', async () => {
    const page = await pages.open(addressOf(busy))
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
    const page = await pages.open(addressOf(busy))
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
    const page = await pages.open(await startFake(view))
    await page.locator('[data-figure="connections"] .value', { hasText: /^170$/ }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused.').waitFor()
    const uptime = await textOf(page, '[data-field="uptime"]')
    view.threads[0]!.stats.set('openConnections', 200)
    // Another page shows what this one does not.
    const other = await pages.open(page.url())
    await other.locator('[data-figure="connections"] .value', { hasText: /^200$/ }).waitFor()
    await anotherSecond(other)
    equal(await textOf(page, '[data-field="uptime"]'), uptime)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('[data-figure="connections"] .value', { hasText: /^200$/ }).waitFor()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [
      [1280, 900],
      [390, 844]
    ] as const) {
      test(`fits ${width} px, ${colorScheme}`, async () => {
        const page = await pages.open(addressOf(busy), { viewport: { width, height }, colorScheme })
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
    const page = await pages.open(addressOf(busy), { reducedMotion: 'reduce' })
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
})

function startOn(view: ServerView): Promise<AdminServer> {
  return startAdmin({ host: '127.0.0.1', port: 0 }, view, pino({ level: 'silent' }))
}

function addressOf({ host, port }: AdminServer): string {
  return `http://${host}:${port}`
}
