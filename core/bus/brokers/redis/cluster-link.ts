import { RESP_TYPES, createCluster } from '@redis/client'
import { reasonOf } from '../../../errors.ts'
import type { BrokerAddress } from '../address.ts'
import { NotTaken } from '../waiting-line.ts'
import { loadAt } from './functions.ts'
import type { LinkListener, RedisLink, RedisText } from './link.ts'
import { NO_TIMEOUT, reconnectDelay, socketOptions } from './options.ts'
import { slotOf } from './slot.ts'
import { Watch } from './watch.ts'

type Cluster = ReturnType<typeof createCluster>
type Client = Awaited<ReturnType<Cluster['nodeClient']>>

const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

/**
 * A cluster. Each node may come and go while the others serve, so it counts as up all the time: what is for a node that is away is not
 * taken, until it is back or the cluster says that another has its slots.
 */
export class ClusterLink implements RedisLink {
  readonly isCluster = true
  readonly #cluster: Cluster
  readonly #watch: Watch<Client> = new Watch(() => this.#clients())
  #isDestroyed = false
  #isLooking = false
  /** No client goes on to connect when the whole is destroyed. */
  readonly #delayOf = (retries: number): number | false => !this.#isDestroyed && reconnectDelay(retries)

  constructor(address: BrokerAddress) {
    const { nodes, username, password } = address
    const options = {
      rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
      // The library looks after five seconds otherwise who has taken the place of a node that is away.
      topologyRefreshOnReconnectionAttemptStrategy: 500,
      commandOptions: NO_TIMEOUT,
      defaults: {
        commandOptions: NO_TIMEOUT,
        ...(username !== null && { username }),
        ...(password !== null && { password }),
        socket: { ...socketOptions(address), reconnectStrategy: this.#delayOf }
      }
    }
    this.#cluster = createCluster(options as Parameters<typeof createCluster>[0])
  }

  async connect(listener: LinkListener): Promise<void> {
    let hasConnected = false
    // Whatever fails is told to whoever asked for it.
    this.#cluster.on('error', () => {})
    for (const event of ['node-ready', 'sharded-channel-moved'])
      this.#cluster.on(event, () => {
        if (hasConnected) listener.onDoubt()
      })
    await this.#cluster.connect()
    hasConnected = true
    this.#watch.start({ onSilent: cut, onAway: lookWhere })
  }

  run(key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#send(key, args)
  }

  runForBytes(key: string, args: readonly RedisText[]): Promise<unknown> {
    return this.#send(key, args, BYTES)
  }

  async load(library: string): Promise<void> {
    await this.#atEachMaster((client) => loadAt(client, library))
  }

  async info(): Promise<string> {
    return String(await this.#cluster.sendCommand(undefined, true, ['INFO', 'server']))
  }

  async subscribe(
    channels: readonly string[],
    listener: (message: Buffer, channel: Buffer) => void
  ): Promise<void> {
    // One by one: they may be at different nodes.
    await Promise.all(channels.map((channel) => this.#cluster.sSubscribe(channel, listener, true)))
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await Promise.all(channels.map((channel) => this.#cluster.sUnsubscribe(channel)))
  }

  async subscribeGlobal(channel: string, listener: (message: Buffer) => void): Promise<void> {
    await this.#cluster.subscribe(channel, listener, true)
  }

  /** A node knows only its own subscribers. */
  async publishGlobal(channel: string, message: Buffer): Promise<null> {
    await this.#cluster.sendCommand(undefined, false, ['PUBLISH', channel, message])
    return null
  }

  async ping(): Promise<void> {
    await this.#atEachMaster((client) => client.ping())
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#watch.stop()
    if (this.#cluster.isOpen) this.#cluster.destroy()
  }

  /**
   * What the library would send again by itself, or keep for a node that is away, is for the waiting line to send again: it knows what
   * has been done, and in which order.
   */
  async #send(key: string, args: readonly RedisText[], options: typeof BYTES | {} = {}): Promise<unknown> {
    const client = this.#cluster.slots[slotOf(key)]?.master.client
    if (client?.isReady !== true) throw new NotTaken('The node of the slot is away')
    try {
      return await client.sendCommand(args, options)
    } catch (error) {
      const reason = reasonOf(error)
      // While a slot moves, its new node has to be asked in a way of its own.
      if (reason.startsWith('ASK ')) return this.#cluster.sendCommand(key, false, [...args], options)
      if (reason.startsWith('MOVED ')) this.#lookAgain(key)
      throw error
    }
  }

  /** The library does when it is told of a move. Nobody waits for it: what comes meanwhile would be ahead of them. */
  #lookAgain(key: string): void {
    if (this.#isLooking) return
    this.#isLooking = true
    const looked = (): void => {
      this.#isLooking = false
    }
    this.#cluster.sendCommand(key, false, ['EXISTS', key]).then(looked, looked)
  }

  async #atEachMaster(act: (client: Client) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#cluster.masters.map(async (node) => act(await this.#cluster.nodeClient(node))))
  }

  #clients(): Client[] {
    const { masters, pubSubNode } = this.#cluster
    const clients = masters.flatMap(({ client, pubSub }) => [client, pubSub?.client])
    return [...clients, pubSubNode?.client].filter((client) => client !== undefined)
  }
}

/** It connects anew, by itself then, until the cluster says that another has its slots. */
function cut(client: Client): void {
  client.destroy()
  client.connect().catch(() => {})
  lookWhere(client)
}

/** The library looks who has the slots when it begins to connect anew. At a host that is gone each time takes seconds. */
function lookWhere(client: Client): void {
  client.emit('reconnecting')
}
