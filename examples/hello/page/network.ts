/** The network of this page: counts what comes, and can be switched off as if a cable were pulled. */
export class Network {
  isOff = false
  /** Messages of the WebSockets that there were; batches have several of the channels' in one. */
  frames = 0
  /** Why the last connection ended, if this page has ended it. */
  reason: string | null = null
  readonly WebSocket: typeof WebSocket
  #socket: WebSocket | null = null

  constructor() {
    const take = (socket: WebSocket): void => {
      this.#socket = socket
      this.reason = null
      socket.addEventListener('message', () => this.frames++)
    }
    this.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols)
        take(this)
      }
    }
  }

  /** What the server has chosen. */
  get protocol(): string {
    return this.#socket?.protocol ?? ''
  }

  /** @throws while it is off */
  check(): void {
    if (this.isOff) throw new Error('This page is offline')
  }

  /** Ends the connection. The client comes back by itself, with the URL that holds then. */
  cut(reason: string): void {
    this.reason = reason
    this.#socket?.close(3000)
  }

  switchOff(): void {
    this.isOff = true
    this.cut('Switched off. What you say now waits here.')
  }

  switchOn(): void {
    this.isOff = false
    // What a browser says when its network is back, and what the client waits for.
    dispatchEvent(new Event('online'))
  }
}
