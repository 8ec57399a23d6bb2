import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ChatMessage } from './channels.ts'
import { serve } from '../../workers/serve.ts'
import type { ScherzoServer } from '../../workers/server.ts'
import { skipWithoutBrowser } from '../../workers/testing/browser.ts'
import { WatchedPages } from '../../workers/testing/watched-pages.ts'
import { DemoPage } from './testing/demo-page.ts'
import { StrippingProxy } from './testing/stripping-proxy.ts'

const app = fileURLToPath(new URL('testing/mortal-app.ts', import.meta.url))

/** With `SCREENSHOTS=folder`, what the page looks like is kept there. */
const screenshots = process.env['SCREENSHOTS']

describe('the demo', { skip: skipWithoutBrowser('the demo in a browser') }, () => {
  let pages: WatchedPages
  let server: ScherzoServer
  let published = 0

  before(async () => {
    pages = await WatchedPages.launch()
  })

  // The pages first: one that loses its server complains.
  afterEach(async () => {
    try {
      await pages.closePages()
    } finally {
      await server.close()
    }
  })

  after(() => pages.close())

  test('two pages chat, see who is there, and who has another name', async () => {
    server = await start()
    const [ann, bob] = [await open(), await open()]
    await rename(ann, 'Ann')
    await rename(bob, 'Bob')
    await ann.page.locator('#people li', { hasText: /^Bob$/ }).waitFor()
    await bob.page.locator('#people li', { hasText: 'Bob (you)' }).waitFor()
    equal(await ann.textOf('there'), '2 visitors here')
    await ann.say('Is anybody there?')
    await bob.hasSaid(1)
    await bob.say('<b>Yes</b>')
    for (const page of [ann, bob]) {
      await page.hasSaid(2)
      deepEqual(await page.said(), ['Is anybody there?', '<b>Yes</b>'])
    }
    await bob.page.context().close()
    await ann.until('document.querySelector("#there").textContent === "1 visitor here"')
  })

  test('a page that is opened later, or again, has what was said before', async () => {
    server = await start()
    await publish('a', 1)
    const page = await open()
    await page.say('b')
    await page.hasSaid(2)
    await page.page.reload()
    await page.hasSaid(2)
    deepEqual(await page.said(), ['a', 'b'])
  })

  test('the ticker moves', async () => {
    server = await start()
    const page = await open()
    await page.until('document.querySelectorAll("#ticks tr").length === 6')
    const before = JSON.stringify(await page.page.locator('#ticks').textContent())
    await page.until(`document.querySelector('#ticks').textContent !== ${before}`)
    const { epoch } = await server.history('ticks')
    await page.until(
      `document.querySelector('#positions').textContent.includes('of epoch ${epoch.slice(0, 8)}')`
    )
  })

  test('what a page says while it is switched off waits, and what it has missed comes', async () => {
    server = await start()
    const [ann, bob] = [await open(), await open()]
    await ann.page.check('#offline')
    await ann.isConnected(false)
    equal(await ann.textOf('state'), 'offline')
    await ann.say('from the cellar')
    equal(await ann.page.locator('#said .waiting').count(), 1)
    for (let index = 1; index <= 20; index++) await publish(`missed ${index}`, index)
    await bob.hasSaid(20)
    equal((await bob.said()).includes('from the cellar'), false)
    await ann.page.uncheck('#offline')
    for (const page of [ann, bob]) {
      await page.hasSaid(21)
      deepEqual(await page.said(), [...numbered('missed', 20), 'from the cellar'])
    }
    match(await ann.tells('Recovered'), /chat 20, ticks \d+\. 1 message that waited here went out\.$/)
  })

  test('a page that loses its network comes back by itself, and misses nothing', async () => {
    server = await start()
    const page = await open({ mayLose: true })
    await page.page.context().setOffline(true)
    for (let index = 1; index <= 10; index++) await publish(`missed ${index}`, index)
    await page.isConnected(false)
    match(await page.textOf('state'), /^(connecting|trying again in \d s)$/)
    await page.page.context().setOffline(false)
    await page.isConnected(true)
    await page.hasSaid(10)
    deepEqual(await page.said(), numbered('missed', 10))
  })

  test('over a reload of the server, and the death of a worker, no message is missed or doubled', async () => {
    server = await start()
    const [ann, bob] = [await open({ mayLose: true }), await open({ mayLose: true })]
    for (let index = 1; index <= 40; index++) {
      await publish(`message ${index}`, index)
      if (index === 10) await server.reload()
      if (index === 25) await fetch(`${server.address}/die`, { method: 'POST' })
    }
    for (const page of [ann, bob]) {
      await page.hasSaid(40)
      deepEqual(await page.said(), numbered('message', 40))
      await page.isConnected(true)
      deepEqual(await page.page.locator('#said .mark').allTextContents(), offsets(40))
      await page.tells('The server has said that it goes')
    }
  })

  test('the server is stopped and started: what waited goes, and the pages tell it what it has forgotten', async () => {
    server = await start()
    const [ann, bob] = [await open({ mayLose: true }), await open({ mayLose: true })]
    await ann.say('one')
    await bob.hasSaid(1)
    // What is published while a page is away is lost to it with this server, but not to the other page.
    await bob.page.check('#offline')
    await bob.isConnected(false)
    await ann.say('two')
    await ann.hasSaid(2)
    const port = Number(new URL(server.address).port)
    await server.close()
    await ann.isConnected(false)
    await ann.say('three')
    await bob.say('four')
    server = await start(port)
    await bob.page.uncheck('#offline')
    const said = ['one', 'two', 'three', 'four']
    for (const page of [ann, bob]) {
      await page.tells('The server has started anew')
      await page.hasSaid(4)
      deepEqual(await page.said(), said)
    }
    const later = await open()
    await later.hasSaid(4)
    deepEqual(await later.said(), said)
    equal((await server.history('chat')).messages.length, 4)
  })

  for (const query of ['?batch=1', '?batch=50,500']) {
    for (const protocol of ['scherzo.v1', 'scherzo.v1+deflate']) {
      test(`with ${protocol} and "${query}" every message comes once and in order`, async (t) => {
        server = await start()
        let { address } = server
        if (protocol !== 'scherzo.v1') {
          const proxy = await StrippingProxy.open(address)
          t.after(() => proxy.close())
          ;({ address } = proxy)
        }
        const page = await DemoPage.open(pages, `${address}/${query}`, { mayLose: true })
        const before = await frames(page)
        const text = ' a longer text, which can be compressed'.repeat(30)
        const messages = Array.from({ length: 60 }, (_, index) => publish(`${index + 1}${text}`, index + 1))
        await Promise.all(messages)
        await page.hasSaid(60)
        deepEqual(
          await page.said(),
          Array.from({ length: 60 }, (_, index) => `${index + 1}${text}`)
        )
        await page.page.click('summary')
        match(await page.textOf('protocol'), new RegExp(`^${protocol.replace('+', '\\+')}, `))
        if (query === '?batch=50,500') ok((await frames(page)) - before < 60)
      })
    }
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      test(`fits into ${width} px, ${colorScheme}, and needs no pointer`, async () => {
        server = await start()
        const page = await open({ colorScheme, viewport: { width, height: 900 } })
        equal(await page.page.evaluate('document.documentElement.scrollWidth'), width)
        for (const id of ['offline', 'batch', 'name', 'text']) ok(await reaches(page, id), id)
        await page.say(
          'Said with the keyboard alone, and long enough that it goes on in a second line of the page.'
        )
        await page.hasSaid(1)
        for (let index = 1; index <= 30; index++) await publish(`message ${index}`, Date.now())
        await page.hasSaid(31)
        equal(await page.page.evaluate('document.documentElement.scrollWidth'), width)
        ok(await page.page.locator('#said li').last().isVisible())
        deepEqual(
          await page.page.evaluate(`(() => {
          const { scrollTop, scrollHeight, clientHeight } = document.querySelector('#said')
          return { isScrolled: scrollTop > 0, isAtEnd: scrollHeight - scrollTop - clientHeight < 2 }
        })()`),
          { isScrolled: true, isAtEnd: true }
        )
        if (screenshots === undefined) return
        mkdirSync(screenshots, { recursive: true })
        await page.page.screenshot({
          path: `${screenshots}/demo-${colorScheme}-${width}.png`,
          fullPage: true
        })
      })
    }
  }

  async function publish(text: string, at: number): Promise<void> {
    const message: ChatMessage = { id: `test-${++published}`, name: 'Test', text, at }
    await server.publish('chat', message)
  }

  function open(options: Parameters<typeof DemoPage.open>[2] = {}): Promise<DemoPage> {
    return DemoPage.open(pages, server.address, options)
  }
})

function start(port = 0): Promise<ScherzoServer> {
  return serve(app, { port, workers: 2, logLevel: 'silent', drainTimeout: 1 })
}

async function rename({ page }: DemoPage, name: string): Promise<void> {
  await page.fill('#name', name)
  await page.press('#name', 'Tab')
}

/** Whether the key Tab leads there. */
async function reaches({ page }: DemoPage, id: string): Promise<boolean> {
  for (let step = 0; step < 20; step++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate('document.activeElement.id')) === id) return true
  }
  return false
}

async function frames({ page }: DemoPage): Promise<number> {
  return Number(/(\d+) WebSocket message/.exec((await page.locator('#protocol').textContent())!)![1])
}

function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${word} ${index + 1}`)
}

function offsets(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `#${index + 1}`)
}
