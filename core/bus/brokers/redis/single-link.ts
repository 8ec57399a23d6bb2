import { RESP_TYPES, createClient } from '@redis/client'
import type { BrokerAddress } from '../address.ts'
import { loadAt } from './functions.ts'
import type { LinkListener, RedisLink, RedisText } from './link.ts'
import { NO_TIMEOUT, reconnectDelay, socketOptions } from './options.ts'
import { Watch } from './watch.ts'

type Client = ReturnType<typeof createClient>

const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

/**
 * One Redis: a connection for commands and one for what is subscribed to, which Redis cuts when it is read too slowly. Each is cut
 * when it does not answer: its host may be gone, or be back without knowing of it.
 */
export class SingleLink implements RedisLink {
  readonly isCluster = false
  readonly node: BrokerAddress['nodes'][number]
  readonly #commands: Client
  readonly #subscriber: Client
  readonly #isLasting: boolean
  readonly #watch: Watch<Client>
  #hasConnected = false
  #isUp = false
  #isDestroyed = false

  /** @param isLasting whether it comes back by itself when it is lost */
  constructor(address: BrokerAddress, isLasting: boolean = true) {
    this.node = address.nodes[0]!
    this.#isLasting = isLasting
    const options = {
      database: address.database,
      commandOptions: NO_TIMEOUT,
      ...(address.username !== null && { username: address.username }),
      ...(address.password !== null && { password: address.password }),
      socket: {
        host: this.node.host,
        port: this.node.port,
        ...socketOptions(address),
        // The first time, whoever starts the server wants to know at once.
        reconnectStrategy: (retries: number) =>
          isLasting && this.#hasConnected ? reconnectDelay(retries) : false
      }
    }
    this.#commands = createClient(options as Parameters<typeof createClient>[0])
    this.#subscriber = createClient(options as Parameters<typeof createClient>[0])
    this.#watch = new Watch(() => [this.#commands, this.#subscriber])
  }

  async connect(listener: LinkListener): Promise<void> {
    for (const client of [this.#commands, this.#subscriber]) {
      client.on('error', (error: Error) => this.#lose(listener, error))
      client.on('ready', () => this.#gain(listener))
      await client.connect()
      // What is destroyed while it connects may come to be connected.
      if (!this.#isDestroyed) continue
      this.destroy()
      throw new Error('The link is destroyed')
    }
    this.#hasConnected = true
    this.#watch.start({ onSilent: (client) => this.#cut(listener, client) })
    this.#gain(listener)
  }

  run(_key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#commands.sendCommand(args)
  }

  runForBytes(_key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#commands.sendCommand(args, BYTES)
  }

  async load(library: string): Promise<void> {
    await loadAt(this.#commands, library)
  }

  async info(): Promise<string> {
    return String(await this.#commands.sendCommand(['INFO', 'server']))
  }

  async isMaster(): Promise<boolean> {
    const [role] = (await this.#commands.sendCommand(['ROLE'])) as unknown as [unknown]
    return String(role) === 'master'
  }

  async subscribe(
    channels: readonly string[],
    listener: (message: Buffer, channel: Buffer) => void
  ): Promise<void> {
    await this.#subscriber.subscribe([...channels], listener, true)
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#subscriber.unsubscribe([...channels])
  }

  async subscribeGlobal(channel: string, listener: (message: Buffer) => void): Promise<void> {
    await this.#subscriber.subscribe(channel, listener, true)
  }

  async publishGlobal(channel: string, message: Buffer): Promise<number> {
    return Number(await this.#commands.sendCommand(['PUBLISH', channel, message]))
  }

  async ping(): Promise<void> {
    await Promise.all([this.#commands.ping(), this.#subscriber.ping()])
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#watch.stop()
    for (const client of [this.#commands, this.#subscriber]) client.destroy()
  }

  #cut(listener: LinkListener, client: Client): void {
    client.destroy()
    this.#lose(listener, new Error('it does not answer'))
    // It goes on by itself then. Whatever fails is told to whoever listens to its errors.
    if (this.#isLasting) client.connect().catch(() => {})
  }

  #lose(listener: LinkListener, error: Error): void {
    this.#isUp = false
    if (this.#hasConnected) listener.onDown(error.message)
  }

  #gain(listener: LinkListener): void {
    if (this.#isUp || !this.#hasConnected || !this.#commands.isReady || !this.#subscriber.isReady) return
    this.#isUp = true
    listener.onUp()
  }
}
