import { performance } from 'node:perf_hooks'
import type { Attending, AttendanceReport } from '../../core/broadcast/attendance.ts'
import { type ChannelRule, ChannelRules } from '../../core/broadcast/channel-rules.ts'
import { presenceNameOf } from '../../core/broadcast/data.ts'
import type { HistoryQuery } from '../../core/broadcast/history.ts'
import { type PresenceRule, limitsOf } from '../../core/broadcast/presence-rule.ts'
import { Presence } from '../../core/broadcast/presence.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { CenterAnswer } from './history-center.ts'

/** What it needs of the bus. */
export type PresenceBus = Pick<Bus, 'publish' | 'offsetOf' | 'messages' | 'epoch'>

/** A channel in which somebody is, or that somebody watches. */
class Room {
  readonly name: string
  readonly presence: Presence = new Presence()
  /** Threads on which somebody watches. */
  readonly watchers: Set<number> = new Set<number>()
  timer: NodeJS.Timeout | null = null
  /** Settles when what was told last has its place in the log. */
  telling: Promise<void> | null = null

  constructor(name: string) {
    this.name = name
  }
}

/**
 * Who is in channels, in the primary: what the threads report, until they end, and other instances, which have numbers below zero. Changes are gathered for the interval of the rule and
 * go through the log, but only for channels that somebody watches. Nobody else publishes under their names and one message is under
 * way at most, so the last offset stands for everything that has been told: that is how a state and the changes behind it fit together.
 *
 * 10,000 who join and 10,000 who leave one channel within a second take 41 to 53 ms of the primary's CPU, reading their reports
 * included (Node 26.10, 2026-11-21, `node --expose-gc bench/micro/presence.ts`, the machine busy with other work).
 */
export class PresenceCenter {
  readonly #bus: PresenceBus
  readonly #onError: (error: unknown, message: string) => void
  readonly #others: Attending | null
  readonly #rules = new ChannelRules()
  readonly #rooms = new Map<string, Room>()
  #isClosed = false
  /** How many messages have told changes. */
  told = 0

  /** @param others gets who is on the threads of this instance, for the other instances */
  constructor(
    bus: PresenceBus,
    onError: (error: unknown, message: string) => void,
    others: Attending | null = null
  ) {
    this.#bus = bus
    this.#onError = onError
    this.#others = others
  }

  get rules(): ChannelRules {
    return this.#rules
  }

  /** Of all channels, each identity once in each. */
  get members(): number {
    let members = 0
    for (const { presence } of this.#rooms.values()) members += presence.count
    return members
  }

  /** Channels that somebody is in or watches. */
  get rooms(): number {
    return this.#rooms.size
  }

  setRule(pattern: string, rule: ChannelRule): void {
    this.#rules.set(pattern, rule)
  }

  take(thread: number, reports: readonly AttendanceReport[]): void {
    if (this.#isClosed) return
    const now = performance.now()
    const others = this.#othersFor(thread)
    for (const { channel, joined, left } of reports) {
      const room = this.#open(channel)
      for (const shown of joined) {
        if (room.presence.enter(thread, shown)) others?.enter(channel, shown)
        else others?.show(channel, shown)
      }
      for (const id of left) if (room.presence.leave(thread, id, now)) others?.leave(channel, id)
      this.#see(room)
    }
  }

  watch(thread: number, channel: string, isWatched: boolean): void {
    const room = this.#open(channel)
    if (isWatched) room.watchers.add(thread)
    else room.watchers.delete(thread)
    this.#see(room)
  }

  /** A thread has ended, and all its sockets with it. */
  end(thread: number): void {
    const now = performance.now()
    const others = this.#othersFor(thread)
    for (const room of this.#rooms.values()) {
      for (const id of room.presence.end(thread, now)) others?.leave(room.name, id)
      room.watchers.delete(thread)
      this.#see(room)
    }
  }

  /** For those who watch, what has been told so far; otherwise (`after: null`) what is so now. */
  async fetch(channel: string, { after }: HistoryQuery): Promise<CenterAnswer> {
    for (let telling = this.#tellingOf(channel); telling !== null; telling = this.#tellingOf(channel))
      await telling
    if (this.#isClosed) throw new ScherzoError('SCZ_ERR_CLOSED', ['see who is in a channel'])
    const { presence } = this.#rooms.get(channel) ?? new Room(channel)
    const json = after === null ? presence.snapshot(this.#limitsOf(channel)) : presence.state
    const offset = this.#bus.offsetOf(presenceNameOf(channel))
    const state = { data: Buffer.from(json).toString('latin1'), isText: true, key: null, time: 0 }
    const { epoch, messages: read } = this.#bus
    return { epoch, page: { offset, first: offset, messages: [state] }, read }
  }

  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#rooms.values()) clearTimeout(timer ?? undefined)
    this.#rooms.clear()
  }

  #othersFor(thread: number): Attending | null {
    return thread < 0 ? null : this.#others
  }

  #tellingOf(channel: string): Promise<void> | null {
    return this.#rooms.get(channel)?.telling ?? null
  }

  #limitsOf(channel: string): Required<PresenceRule> {
    return limitsOf(this.#rules.of(channel))
  }

  #open(channel: string): Room {
    const known = this.#rooms.get(channel)
    if (known !== undefined) return known
    const room = new Room(channel)
    this.#rooms.set(channel, room)
    return room
  }

  /** Something may have changed. */
  #see(room: Room): void {
    const { name, presence, watchers } = room
    if (this.#isClosed || room.telling !== null) return
    if (watchers.size === 0) {
      clearTimeout(room.timer ?? undefined)
      room.timer = null
      presence.settle(this.#limitsOf(name))
      if (presence.isEmpty) this.#rooms.delete(name)
    } else if (!presence.isTold) {
      room.timer ??= setTimeout(() => this.#tell(room), this.#limitsOf(name).interval).unref()
    }
  }

  #tell(room: Room): void {
    room.timer = null
    const json = room.presence.take(performance.now(), this.#limitsOf(room.name))
    if (json === null) return this.#see(room)
    this.told++
    room.telling = this.#publish(room, json).then(() => {
      room.telling = null
      this.#see(room)
    })
  }

  async #publish({ name, presence }: Room, json: string): Promise<void> {
    try {
      await this.#bus.publish(presenceNameOf(name), json)
    } catch (error) {
      if (this.#isClosed) return
      this.#onError(error, `Could not tell who is in the channel ${name}`)
      presence.restate()
    }
  }
}
