import { RESP_TYPES, createSentinel } from '@redis/client'
import type { BrokerAddress } from '../address.ts'
import type { LinkListener, RedisLink, RedisText } from './link.ts'
import { reconnectDelay, socketOptions } from './options.ts'
import type { Script } from './scripts.ts'

type Sentinel = ReturnType<typeof createSentinel>

const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

/** The master that sentinels name, whichever it is at the time. The client follows it, with what is subscribed to. */
export class SentinelLink implements RedisLink {
  readonly isCluster = false
  readonly #sentinel: Sentinel
  #isDestroyed = false
  /** The library forgets clients that it has begun to connect when it is destroyed: they would go on for ever. */
  readonly #delayOf = (retries: number): number | false => !this.#isDestroyed && reconnectDelay(retries)

  constructor(address: BrokerAddress) {
    const { nodes, username, password, master } = address
    const socket = { ...socketOptions(address), reconnectStrategy: this.#delayOf }
    const options = {
      name: master!,
      sentinelRootNodes: nodes.map(({ host, port }) => ({ host, port })),
      nodeClientOptions: {
        ...(username !== null && { username }),
        ...(password !== null && { password }),
        socket
      },
      sentinelClientOptions: { socket },
      // One, so that messages keep their order.
      masterPoolSize: 1
    }
    this.#sentinel = createSentinel(options as Parameters<typeof createSentinel>[0])
  }

  async connect(listener: LinkListener): Promise<void> {
    let hasConnected = false
    // Whatever fails is told to whoever asked for it.
    this.#sentinel.on('error', () => {})
    for (const event of ['topology-change', 'ready'])
      this.#sentinel.on(event, () => {
        if (hasConnected) listener.onDoubt()
      })
    await this.#sentinel.connect()
    hasConnected = true
  }

  run(_key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#sentinel.sendCommand(false, [...args])
  }

  runForBytes(_key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#sentinel.sendCommand(false, [...args], BYTES)
  }

  async load(scripts: readonly Script[]): Promise<void> {
    await Promise.all(scripts.map(({ text }) => this.#sentinel.sendCommand(false, ['SCRIPT', 'LOAD', text])))
  }

  async info(): Promise<string> {
    return String(await this.#sentinel.sendCommand(false, ['INFO', 'server']))
  }

  async subscribe(
    channels: readonly string[],
    listener: (message: Buffer, channel: Buffer) => void
  ): Promise<void> {
    await this.#sentinel.subscribe([...channels], listener, true)
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#sentinel.unsubscribe([...channels])
  }

  async subscribeGlobal(channel: string, listener: (message: Buffer) => void): Promise<void> {
    await this.#sentinel.subscribe(channel, listener, true)
  }

  async publishGlobal(channel: string, message: Buffer): Promise<number> {
    return Number(await this.#sentinel.sendCommand(false, ['PUBLISH', channel, message]))
  }

  async ping(): Promise<void> {
    await this.#sentinel.sendCommand(false, ['PING'])
  }

  destroy(): void {
    this.#isDestroyed = true
    // Also while it looks for a master: it would do so for ever.
    void this.#sentinel.destroy().catch(() => {})
  }
}
