import { deepEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { serve } from '../workers/serve.ts'
import type { ScherzoServer } from '../workers/server.ts'
import { launchBrowser, skipWithoutBrowser } from '../workers/testing/browser.ts'
import { temporaryFolder } from '../workers/testing/temporary-folder.ts'

const app = fileURLToPath(new URL('testing/page-app.ts', import.meta.url))
const entry = fileURLToPath(new URL('index.ts', import.meta.url))

describe('in a browser', { skip: skipWithoutBrowser('the client in pages') }, () => {
  let browser: Browser
  let server: ScherzoServer

  before(async () => {
    const bundle = join(temporaryFolder(), 'client.min.js')
    buildSync({
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      entryPoints: [entry],
      outfile: bundle
    })
    process.env['CLIENT_BUNDLE'] = bundle
    browser = await launchBrowser()
    server = await start(0)
  })

  after(async () => {
    await browser?.close()
    await server?.close()
    delete process.env['CLIENT_BUNDLE']
  })

  test('two pages chat, over a restart of the server and a reload of the page, and no message is missed or doubled', async () => {
    const [ann, bob] = [await open(), await open()]
    await say(ann, 'hi')
    await say(bob, 'hello')
    for (const page of [ann, bob]) await hasMessages(page, ['hi', 'hello'])
    const port = Number(new URL(server.address).port)
    await server.close()
    await ann.waitForFunction('document.querySelector("#state").textContent !== "open"')
    await say(ann, 'are you there?')
    server = await start(port)
    for (const page of [ann, bob]) await hasMessages(page, ['hi', 'hello', 'are you there?'])
    await bob.goto('about:blank')
    await say(ann, 'gone')
    await hasMessages(ann, ['hi', 'hello', 'are you there?', 'gone'])
    await bob.goto(server.address)
    await hasMessages(bob, ['gone'])
    await say(bob, 'back')
    await hasMessages(bob, ['gone', 'back'])
    await hasMessages(ann, ['hi', 'hello', 'are you there?', 'gone', 'back'])
  })

  test('a page that loses its network comes back by itself', async () => {
    const page = await open()
    const session = await page.context().newCDPSession(page)
    const conditions = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', { ...conditions, offline: true })
    await server.publish('room:1', { text: 'offline' })
    await page.waitForFunction('document.querySelector("#state").textContent !== "open"')
    await session.send('Network.emulateNetworkConditions', { ...conditions, offline: false })
    await page.waitForFunction('document.querySelector("#state").textContent === "open"')
    await server.publish('room:1', { text: 'online' })
    await hasMessages(page, ['offline', 'online'])
  })

  async function open(): Promise<Page> {
    // A context of its own: pages of one share what they store.
    const page = await (await browser.newContext()).newPage()
    await page.goto(server.address)
    await page.waitForFunction('document.title === "Ready"')
    return page
  }
})

function start(port: number): Promise<ScherzoServer> {
  return serve(app, { port, workers: 2, logLevel: 'silent', drainTimeout: 1 })
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill('input', text)
  await page.press('input', 'Enter')
}

async function hasMessages(page: Page, expected: readonly string[]): Promise<void> {
  await page.waitForFunction(`document.querySelectorAll('li').length >= ${expected.length}`)
  deepEqual(await page.locator('li').allTextContents(), expected)
}
