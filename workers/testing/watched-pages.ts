import { deepEqual } from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'

/** What browsers themselves say of a server, or a network, that is gone. */
const LOSSES =
  /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|INCOMPLETE_CHUNKED|INTERNET_DISCONNECTED|NETWORK_CHANGED|SOCKET_NOT_CONNECTED)/

/** Pages of one browser that a test looks at, and of which nothing may be complained and no other host asked. */
export class WatchedPages {
  readonly #browser: Browser
  readonly #pages: Page[] = []
  readonly #faults: string[] = []

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async launch(): Promise<WatchedPages> {
    return new WatchedPages(await launchBrowser())
  }

  /** @param mayLose whether the page loses the server in this test: browsers complain of that themselves */
  async open(
    address: string,
    { mayLose = false, ...options }: BrowserContextOptions & { mayLose?: boolean } = {}
  ): Promise<Page> {
    const page = await (await this.#browser.newContext(options)).newPage()
    this.#pages.push(page)
    page.on('console', (message) => {
      if (!(mayLose && LOSSES.test(message.text()))) this.#faults.push(message.text())
    })
    page.on('pageerror', (error) => this.#faults.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(address).origin) this.#faults.push(request.url())
    })
    await page.goto(address)
    return page
  }

  /** Closes the pages of a test, and fails if there was anything about them. */
  async closePages(): Promise<void> {
    await Promise.all(this.#pages.splice(0).map((page) => page.context().close()))
    deepEqual(this.#faults.splice(0), [])
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}
