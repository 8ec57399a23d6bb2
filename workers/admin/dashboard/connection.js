/** @import { Now, Past } from '../feed.ts' */

/**
 * @typedef {object} Listener
 * @property {(past: Past) => void} onPast
 * @property {(now: Now) => void} onNow
 * @property {(isLost: boolean) => void} onLost called with true when no figures come any more, and with false when they do
 */

/** The server speaks once a second. Silence for so long, in milliseconds, is a lost connection, though nobody closed it. */
const SILENCE = 6000

/** How long to wait where the browser has given up, in milliseconds: it does when the server refuses. */
const RETRY = 2000

/** Reads the events of the server for as long as the page is seen, and comes back whenever that is lost. */
export class Connection {
  /** @type {Listener} */
  #listener
  /** @type {EventSource | null} */
  #source = null
  #heard = 0
  #isLost = false

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener
    document.addEventListener('visibilitychange', () => this.follow())
    // A page that is left keeps no connection, so that the browser can keep the page.
    window.addEventListener('pagehide', () => this.#close())
    window.addEventListener('pageshow', () => this.follow())
    setInterval(() => this.#check(), 1000)
  }

  /** Opens the stream if the page is seen, and closes it if not. */
  follow() {
    if (document.hidden) this.#close()
    else if (this.#source === null) this.#open()
  }

  #open() {
    const source = new EventSource('/dashboard/events')
    this.#source = source
    this.#heard = performance.now()
    source.addEventListener('history', ({ data }) => {
      this.#hear()
      this.#listener.onPast(JSON.parse(data))
    })
    source.addEventListener('now', ({ data }) => {
      this.#hear()
      this.#listener.onNow(JSON.parse(data))
    })
    source.addEventListener('error', () => {
      this.#setLost(true)
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return
      this.#close()
      setTimeout(() => this.follow(), RETRY)
    })
  }

  #close() {
    this.#source?.close()
    this.#source = null
  }

  #hear() {
    this.#heard = performance.now()
    this.#setLost(false)
  }

  #check() {
    if (this.#source === null || performance.now() - this.#heard < SILENCE) return
    this.#setLost(true)
    this.#close()
    this.follow()
  }

  /** @param {boolean} isLost */
  #setLost(isLost) {
    if (this.#isLost === isLost) return
    this.#isLost = isLost
    this.#listener.onLost(isLost)
  }
}
