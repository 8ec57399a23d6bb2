import { setTimeout } from 'node:timers/promises'
import type { BrowserContextOptions, Page } from 'playwright-core'
import type { WatchedPages } from '../../../workers/testing/watched-pages.ts'

/** A page of the demo, as a visitor sees and uses it. */
export class DemoPage {
  readonly page: Page

  private constructor(page: Page) {
    this.page = page
  }

  static async open(
    pages: WatchedPages,
    address: string,
    options: BrowserContextOptions & { mayLose?: boolean } = {}
  ): Promise<DemoPage> {
    const demo = new DemoPage(
      await pages.open(address, { viewport: { width: 1280, height: 900 }, ...options })
    )
    await demo.page.waitForSelector('html[data-ready]')
    return demo
  }

  async say(text: string): Promise<void> {
    await this.page.fill('#text', text)
    await this.page.press('#text', 'Enter')
  }

  /** What was said, in the order of the page. */
  said(): Promise<string[]> {
    return this.page.locator('#said .text').allTextContents()
  }

  /** Waits until the server has given all messages, so many of them, their offsets. */
  async hasSaid(count: number): Promise<void> {
    await this.until(
      `document.querySelectorAll('#said li').length >= ${count} && !document.querySelector('#said .waiting')`
    )
  }

  async isConnected(connected: boolean): Promise<void> {
    await this.until(`(document.body.dataset.state === 'open') === ${connected}`)
  }

  /** Waits for a line of what happened. */
  async tells(text: string): Promise<string> {
    const line = this.page.locator('#journal li', { hasText: text }).first()
    await line.waitFor()
    return (await line.textContent())!
  }

  /** Asks again and again. Playwright would wait within the page, by an `eval` that the page's policy forbids. */
  async until(expression: string): Promise<void> {
    while (!(await this.page.evaluate(expression))) await setTimeout(20)
  }

  textOf(id: string): Promise<string> {
    return this.page.locator(`#${id}`).innerText()
  }
}
