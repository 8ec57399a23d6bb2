import { createClient } from '@redis/client'
import type { BrokerAddress } from '../address.ts'
import { inTime } from '../in-time.ts'
import { NO_TIMEOUT, socketOptions } from './options.ts'

type Client = ReturnType<typeof createClient>
export type Node = BrokerAddress['nodes'][number]

/** How long whoever is asked has, in milliseconds: the next one may know. */
export const ANSWER_TIMEOUT = 2000

/** One sentinel, by a connection that is kept as long as it answers. */
export class Sentinel {
  readonly #node: Node
  readonly #address: BrokerAddress
  #client: Client | null = null

  constructor(node: Node, address: BrokerAddress) {
    this.#node = node
    this.#address = address
  }

  /** The master that it names. */
  async master(): Promise<Node> {
    const { host, port } = this.#node
    const error = (): Error => new Error(`the sentinel ${host}:${port} does not answer`)
    try {
      return await inTime(this.#ask(), ANSWER_TIMEOUT, error)
    } catch (reason) {
      this.destroy()
      throw reason
    }
  }

  destroy(): void {
    const client = this.#client
    this.#client = null
    if (client?.isOpen === true) client.destroy()
  }

  async #ask(): Promise<Node> {
    const client = (this.#client ??= this.#open())
    if (!client.isReady) await client.connect()
    const { master } = this.#address
    const answer = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master!])
    if (!Array.isArray(answer)) throw new Error(`the sentinel has no master "${master}"`)
    return { host: String(answer[0]), port: Number(answer[1]) }
  }

  #open(): Client {
    const { host, port } = this.#node
    const socket = { host, port, ...socketOptions(this.#address), reconnectStrategy: false }
    const options = { commandOptions: NO_TIMEOUT, socket }
    const client = createClient(options as Parameters<typeof createClient>[0])
    // Whoever asks is told, now or the next time.
    client.on('error', () => {})
    return client
  }
}
