import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerAddress } from '../address.ts'
import { inTime } from '../in-time.ts'
import { NotTaken } from '../waiting-line.ts'
import type { LinkListener, RedisLink, RedisText } from './link.ts'
import { reconnectDelay } from './options.ts'
import { ANSWER_TIMEOUT, type Node, Sentinel } from './sentinel.ts'
import { SingleLink } from './single-link.ts'

/** How often the sentinels are asked while the master is there, in milliseconds. */
const INTERVAL = 2000

type OnMessage = (message: Buffer, channel: Buffer) => void

/**
 * The master that sentinels name, whichever it is at the time. The client library has this too, but it sends what was under way
 * again, which may have been done, and lets commands of one turn change places.
 */
export class SentinelLink implements RedisLink {
  readonly isCluster = false
  readonly #address: BrokerAddress
  readonly #sentinels: readonly Sentinel[]
  /** A master that is new knows nothing of it. */
  readonly #subscribed = new Map<string, OnMessage>()
  #listener: LinkListener | null = null
  #link: SingleLink | null = null
  #isDestroyed = false

  constructor(address: BrokerAddress) {
    this.#address = address
    this.#sentinels = address.nodes.map((node) => new Sentinel(node, address))
  }

  async connect(listener: LinkListener): Promise<void> {
    this.#listener = listener
    await this.#follow()
    void this.#watch()
  }

  async run(key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#master.run(key, args)
  }

  async runForBytes(key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#master.runForBytes(key, args)
  }

  async load(library: string): Promise<void> {
    await this.#master.load(library)
  }

  async info(): Promise<string> {
    return this.#master.info()
  }

  async subscribe(channels: readonly string[], listener: OnMessage): Promise<void> {
    for (const channel of channels) this.#subscribed.set(channel, listener)
    await this.#master.subscribe(channels, listener)
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) this.#subscribed.delete(channel)
    await this.#master.unsubscribe(channels)
  }

  async subscribeGlobal(channel: string, listener: (message: Buffer) => void): Promise<void> {
    await this.subscribe([channel], listener)
  }

  async publishGlobal(channel: string, message: Buffer): Promise<number> {
    return this.#master.publishGlobal(channel, message)
  }

  async ping(): Promise<void> {
    await this.#master.ping()
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#link?.destroy()
    this.#link = null
    for (const sentinel of this.#sentinels) sentinel.destroy()
  }

  /** @throws NotTaken while there is none */
  get #master(): SingleLink {
    if (this.#link === null) throw new NotTaken('The sentinels have no master')
    return this.#link
  }

  /** Each sentinel is asked in turn: one that is cut off may name a master that is none any more. */
  async #follow(): Promise<void> {
    let first: unknown = null
    for (const sentinel of this.#sentinels) {
      if (this.#isDestroyed) break
      try {
        return await this.#connectTo(await sentinel.master())
      } catch (error) {
        first ??= error
      }
    }
    throw first ?? new NotTaken('The link is destroyed')
  }

  async #connectTo(node: Node): Promise<void> {
    const link = new SingleLink({ ...this.#address, nodes: [node] }, false)
    let isLost = false
    const onDown = (reason: string): void => {
      isLost = true
      this.#lose(link, reason)
    }
    const hasConnected = async (): Promise<boolean> => {
      await link.connect({ onUp: () => {}, onDown, onDoubt: () => {} })
      return link.isMaster()
    }
    const silent = (): Error => new Error(`${node.host}:${node.port} does not answer`)
    try {
      const isMaster = await inTime(hasConnected(), ANSWER_TIMEOUT, silent)
      if (!isMaster) throw new Error(`${node.host}:${node.port} is no master`)
      for (const [listener, channels] of Map.groupBy(this.#subscribed.keys(), (channel) =>
        this.#subscribed.get(channel)!
      ))
        await link.subscribe(channels, listener)
      if (isLost || this.#isDestroyed) throw new Error(`${node.host}:${node.port} is lost`)
      this.#link = link
    } catch (error) {
      link.destroy()
      throw error
    }
  }

  #lose(link: SingleLink, reason: string): void {
    if (this.#link !== link) return
    this.#link = null
    link.destroy()
    this.#listener!.onDown(reason)
    void this.#comeBack()
  }

  async #comeBack(): Promise<void> {
    for (let retries = 0; !this.#isDestroyed; retries++) {
      try {
        await this.#follow()
        return this.#listener!.onUp()
      } catch {
        await delay(reconnectDelay(retries), undefined, { ref: false })
      }
    }
  }

  /** A master that is halted, or cut off from the sentinels, does not say that they have promoted another. */
  async #watch(): Promise<void> {
    while (!this.#isDestroyed) {
      await delay(INTERVAL, undefined, { ref: false })
      // Whoever looks for a master asks them already.
      if (this.#link !== null) await this.#check(this.#link)
    }
  }

  async #check(link: SingleLink): Promise<void> {
    const asked = this.#sentinels.map((sentinel) => sentinel.master().catch(() => null))
    const named = (await Promise.all(asked)).filter((node) => node !== null)
    if (named.length === 0) return
    if (!named.some(({ host, port }) => host === link.node.host && port === link.node.port))
      this.#lose(link, 'the sentinels have another master')
  }
}
