import { deepEqual, equal } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'
import { launchBrowser, skipWithoutBrowser } from './testing/browser.ts'

const app = fileURLToPath(new URL('./testing/events-app.ts', import.meta.url))

/** Runs in the page: notes what EventSource tells. */
const FOLLOW = `
  window.told = []
  window.opened = 0
  const note = ({ type, data }) => told.push({ type, ...JSON.parse(data) })
  window.source = new EventSource(path)
  source.onopen = () => opened++
  for (const type of ['message', 'subscribed', 'lost', 'drain']) source.addEventListener(type, note)`

interface Told {
  readonly type: string
  readonly channel: string
  readonly offset?: number
}

describe('EventSource in a browser', { skip: skipWithoutBrowser('event streams in pages') }, () => {
  let browser: Browser
  let server: ScherzoServer

  before(async () => {
    browser = await launchBrowser()
    server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 5 })
  })

  after(async () => {
    await browser?.close()
    await server?.close()
  })

  for (const path of ['/events/room:1', '/events?channel=room:2&channel=room:3'])
    test(`goes on behind its last event when the workers are replaced: ${path}`, async () => {
      const channels = path.match(/room:\d/g)!
      const page = await open(path)
      await page.waitForFunction(
        `told.filter(({ type }) => type === 'subscribed').length === ${channels.length}`
      )
      await publish(channels, 1, 5)
      await hasMessages(page, 5 * channels.length)
      const publishing = publish(channels, 6, 105)
      await server.reload()
      await publishing
      // It may have met the second worker just before that one was replaced, too.
      await page.waitForFunction(
        "opened >= 2 && opened === told.filter(({ type }) => type === 'drain').length + 1"
      )
      await publish(channels, 106, 110)
      await hasMessages(page, 110 * channels.length)
      const told = (await page.evaluate('told')) as Told[]
      const expected = Array.from({ length: 110 }, (_, index) => index + 1)
      for (const channel of channels) {
        const messages = told.filter((each) => each.type === 'message' && each.channel === channel)
        deepEqual(
          messages.map(({ offset }) => offset),
          expected
        )
      }
      equal(told.filter(({ type }) => type === 'lost').length, 0)
      await page.close()
    })

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage()
    await page.goto(`${server.address}/page`)
    await page.evaluate(`{ const path = ${JSON.stringify(path)}; ${FOLLOW} }`)
    return page
  }

  async function publish(channels: readonly string[], from: number, to: number): Promise<void> {
    for (let number = from; number <= to; number++) {
      for (const channel of channels) await server.publish(channel, number)
    }
  }
})

async function hasMessages(page: Page, count: number): Promise<void> {
  await page.waitForFunction(`told.filter(({ type }) => type === 'message').length >= ${count}`)
}
