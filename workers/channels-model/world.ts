import { setTimeout as delay } from 'node:timers/promises'
import { ScherzoError } from '../../core/errors.ts'
import type { ScherzoServer } from '../server.ts'
import { Clients } from './clients.ts'
import type { Command, CommandOfClient, Publish, Start } from './commands.ts'
import type { Connection } from './connection.ts'
import type { Since } from './follower.ts'
import { nothingHappened } from './happened.ts'
import type { Counts, Happened } from './happened.ts'
import { Ledger } from './ledger.ts'
import { KINDS, channelOf } from './plan.ts'
import { bytesOf, numberIn } from './told.ts'
import { LIMIT, until } from './until.ts'
import { Upheaval } from './upheaval.ts'

const MAX_FLOODS = 6
/** More than the kernel holds for a client that does not read. */
const FLOOD = { messages: 200, pad: 32_000 }

/** How often something is published for those who are not level, in milliseconds. */
const PUBLISH_AGAIN = 200

/** The channels of one schedule, and the clients that do there what they are told. */
export class World {
  readonly #server: ScherzoServer
  readonly #epoch: string
  readonly #number: number
  readonly #channels: readonly string[]
  readonly #endings: readonly (() => void)[]
  readonly #ledger = new Ledger()
  readonly #clients: Clients
  readonly #upheaval: Upheaval
  #commands = 0
  /** Publishes of the server that have no answer yet. */
  #underWay = 0
  #floods = 0

  /** @param killsLeft how many workers may die */
  constructor(server: ScherzoServer, epoch: string, number: number, killsLeft: number) {
    const fault = (text: string): void => void this.#ledger.faults.push(text)
    this.#server = server
    this.#epoch = epoch
    this.#number = number
    this.#channels = KINDS.map((kind) => channelOf(kind, number))
    this.#endings = this.#channels.map((channel) => this.#witness(channel))
    this.#upheaval = new Upheaval(server, killsLeft, fault)
    this.#clients = new Clients(server.address, {
      world: number,
      channels: this.#channels,
      epoch,
      ledger: this.#ledger,
      fault,
      mayBeLost: (connection) => this.#mayBeLost(connection)
    })
  }

  /** What was wrong. */
  get faults(): readonly string[] {
    return this.#ledger.faults
  }

  /** The end of what the connections that are named in the faults sent and were told. */
  get transcripts(): string {
    const named = this.#clients.connections.filter(({ name }) =>
      this.faults.some((text) => text.includes(`${name}:`))
    )
    return transcriptsOf(named)
  }

  get happened(): Happened {
    const { connections } = this.#clients
    const { kills, reloads } = this.#upheaval
    const happened = { ...nothingHappened(), kills, reloads }
    for (const { counts } of connections) {
      for (const [name, count] of Object.entries(counts)) happened[name as keyof Counts] += count
    }
    return {
      ...happened,
      commands: this.#commands,
      connections: connections.length,
      published: this.#ledger.size,
      unanswered: this.#ledger.unanswered
    }
  }

  async step(command: Command): Promise<void> {
    this.#commands++
    switch (command.do) {
      case 'publish':
        return this.#publish(command)
      case 'reload':
        return this.#upheaval.reload()
      case 'settle':
        return this.#settle()
      case 'wait':
        return delay(command.milliseconds)
      case 'connect':
        return this.#clients.connect(command.client, command.comesBack)
    }
    if (command.do === 'subscribe' || command.do === 'stall')
      await this.#clients.connect(command.client, true)
    const connection = this.#clients.find(command.client)
    if (connection !== null) await this.#stepOf(connection, command)
  }

  /** Waits until everything has come that will, and looks at it. */
  async finish(): Promise<void> {
    for (const connection of this.#clients.connections) connection.resume()
    await this.#settle()
    if (this.faults.length > 0) return
    for (const connection of this.#clients.connections) connection.finish()
    this.#ledger.finish()
  }

  close(): void {
    for (const end of this.#endings) end()
    for (const connection of this.#clients.connections) connection.drop(false)
  }

  async #stepOf(connection: Connection, command: CommandOfClient): Promise<void> {
    const channel = 'kind' in command ? channelOf(command.kind, this.#number) : ''
    switch (command.do) {
      case 'subscribe':
        return connection.subscribe(channel, this.#since(connection, channel, command.start))
      case 'unsubscribe':
        return connection.unsubscribe(channel)
      case 'withdraw':
        return this.#withdraw(connection, channel, command.client)
      case 'history':
        return connection.history(channel, this.#historySince(connection, channel, command.start))
      case 'drop':
        return connection.drop(command.isClean)
      case 'stall':
        return this.#stall(connection, command.which)
      case 'stop reading':
        return connection.pause()
      case 'go on reading':
        return connection.resume()
      case 'kill':
        return this.#upheaval.kill(connection.thread, command.how)
    }
  }

  /** The primary sees everything. */
  #witness(channel: string): () => void {
    return this.#server.subscribe(channel, ({ offset, data, isBinary }) => {
      const n = isBinary ? numberIn(data as Buffer) : (data as { n: number }).n
      this.#ledger.witness(channel, offset, n, 'the primary')
    })
  }

  #mayBeLost({ thread, isDropped, wasPaused, policy }: Connection): boolean {
    if (thread === 0 || isDropped || this.#upheaval.isDead(thread)) return true
    // It did not answer the close frame in time, or this process did not.
    return this.#upheaval.reloads > 0 || (wasPaused && policy === 'close')
  }

  #since(connection: Connection, channel: string, start: Start): Since | null {
    const epoch = this.#epoch
    const place = connection.places.get(channel)
    switch (start) {
      case 'now':
        return null
      case 'place':
        return place ?? null
      case 'first':
        return { epoch, offset: 0 }
      case 'earlier':
        return { epoch, offset: Math.floor((place?.offset ?? 0) / 2) }
      case 'other epoch':
        return { epoch: 'of yesterday', offset: 3 }
      case 'too late':
        return { epoch, offset: 1_000_000_000 }
    }
  }

  /** What is not there is an error there, which other tests are about. */
  #historySince(connection: Connection, channel: string, start: Start): Since | null {
    const isThere = start !== 'other epoch' && start !== 'too late'
    return isThere ? this.#since(connection, channel, start) : null
  }

  #publish({ client, kind, count, pad, isKeyed, isBytes }: Publish): void {
    const channel = channelOf(kind, this.#number)
    for (let index = 0; index < count; index++) {
      const key = isKeyed ? `key ${index % 3}` : null
      if (client === null) void this.#publishHere(channel, key, pad, isBytes)
      else this.#clients.find(client)?.publish(channel, key, pad)
    }
  }

  /** @returns the offset, or null where the server has too much to do */
  async #publishHere(
    channel: string,
    key: string | null,
    pad: number,
    isBytes: boolean
  ): Promise<number | null> {
    const attempt = this.#ledger.attempt('the server', channel)
    const { n } = attempt
    const data = isBytes ? bytesOf(n) : { n, pad: 'x'.repeat(pad) }
    this.#underWay++
    try {
      const { epoch, offset } = await this.#server.publish(channel, data, key === null ? {} : { key })
      if (epoch !== this.#epoch) this.#ledger.faults.push(`The server published in the epoch ${epoch}`)
      this.#ledger.acknowledge(attempt, offset)
      return offset
    } catch (error) {
      attempt.outcome = 'refused'
      const isOverload = error instanceof ScherzoError && error.code === 'SCZ_ERR_BUS_OVERLOAD'
      if (!isOverload) this.#ledger.faults.push(`The server could not publish: ${String(error)}`)
      return null
    } finally {
      this.#underWay--
    }
  }

  #stall(connection: Connection, which: number): void {
    const channels = this.#channels.filter((channel) => connection.has(channel))
    connection.pause()
    if (channels.length === 0 || this.#floods === MAX_FLOODS) return
    this.#floods++
    const channel = channels[which % channels.length]!
    for (let index = 0; index < FLOOD.messages; index++) {
      const key = index % 4 === 0 ? null : `key ${index % 7}`
      void this.#publishHere(channel, key, FLOOD.pad, false)
    }
  }

  async #withdraw(connection: Connection, channel: string, client: number): Promise<void> {
    if (connection.isPaused) return
    const isReady = (): boolean => connection.isOver || !connection.isWaitingFor(channel)
    await until(isReady, () => `${connection.name} gets its answers`)
    await this.#server.unsubscribe(this.#clients.userOf(client), channel)
    const isGone = (): boolean => connection.isOver || !connection.has(channel)
    await until(isGone, () => `${connection.name} is told that ${channel} was taken away`)
  }

  /**
   * Waits until all who read are level with everything that was published, or something is wrong. More is published all the
   * time, so that who has missed the last message gets one that shows it.
   */
  async #settle(): Promise<void> {
    await this.#upheaval.reloaded()
    const deadline = performance.now() + LIMIT
    const ends = new Map<string, number | null>()
    let publishedAt = 0
    while (!this.#isLevelWith(ends) && this.faults.length === 0) {
      const now = performance.now()
      if (now > deadline) throw new Error(this.#describeLate(ends))
      if (now - publishedAt > PUBLISH_AGAIN) {
        publishedAt = now
        for (const channel of this.#channels)
          ends.set(channel, await this.#publishHere(channel, null, 0, false))
      }
      await delay(1)
    }
  }

  /** What a dead worker had published may have come behind the ends. */
  #isLevelWith(ends: ReadonlyMap<string, number | null>): boolean {
    return (
      this.#underWay === 0 &&
      this.#channels.every((channel) => this.#ledger.known(channel) === ends.get(channel)) &&
      this.#clients.connections.every((each) => isSettled(each, ends))
    )
  }

  #describeLate(ends: ReadonlyMap<string, number | null>): string {
    const late = this.#clients.connections.filter((each) => !isSettled(each, ends))
    const what = `${this.#underWay} publishes wait, and some are not level with ${JSON.stringify([...ends])}`
    return `Nothing comes any more: ${what}\n${transcriptsOf(late)}`
  }
}

function isSettled(connection: Connection, ends: ReadonlyMap<string, number | null>): boolean {
  if (connection.isOver || connection.isPaused) return true
  if (connection.isDropped || connection.isWaiting) return false
  return [...ends].every(([channel, end]) => end !== null && connection.hasReached(channel, end))
}

function transcriptsOf(connections: readonly Connection[]): string {
  return connections.map(({ name, transcript }) => `${name}\n  ${transcript.end}`).join('\n')
}
