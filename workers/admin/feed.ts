import { EventStream } from '../../core/http/event-stream.ts'
import type { EventSink } from '../../core/http/event-stream.ts'
import { eventText } from '../../core/http/server-sent-event.ts'
import type { ServerView } from '../server-view.ts'
import type { Census, Snapshot } from './census.ts'
import { sumOf } from './census.ts'
import { ChannelCensus } from './channel-census.ts'
import type { Channels } from './channel-census.ts'
import type { Point } from './point.ts'
import { reasonNotReady } from './readiness.ts'
import type { Recorder } from './recorder.ts'
import { statusOf } from './status.ts'
import type { Status } from './status.ts'

/** The event `history`, with which every stream begins: what the client has not seen of the last minutes. */
export interface Past {
  /** When this run of the server started, in milliseconds since 1970: tells it from others. */
  readonly server: number
  /** Whether the points stand in place of all that the client has, rather than behind them. */
  readonly isWhole: boolean
  readonly points: readonly Point[]
}

/** The event `now`, once a second. */
export interface Now {
  /** When this run of the server started, in milliseconds since 1970. */
  readonly server: number
  /** Null in the first one, whose point is the last of the history. */
  readonly point: Point | null
  readonly status: Status
  /** Why the server should not be sent requests, or null. */
  readonly notReady: string | null
  readonly hub: HubFigures
  readonly channels: Channels
}

interface HubFigures {
  readonly published: number
  readonly delivered: number
  readonly skipped: number
  readonly slowClosed: number
  readonly members: number
  readonly subscriptions: number
  /** Bytes. */
  readonly heldBytes: number
}

/** How many may watch at a time. */
const WATCHERS = 64

/** After how long a client comes back, in milliseconds. */
const RETRY = 1000

/** What the dashboard reads. Nothing but the history is looked up while nobody watches. */
export class Feed {
  readonly #view: ServerView
  readonly #census: Census
  readonly #recorder: Recorder
  readonly #channels: ChannelCensus
  readonly #watchers = new Set<EventStream>()

  constructor(view: ServerView, census: Census, recorder: Recorder) {
    this.#view = view
    this.#census = census
    this.#recorder = recorder
    this.#channels = new ChannelCensus(view)
    recorder.onPoint = (point, snapshot) => this.#tell(point, snapshot)
  }

  get isFull(): boolean {
    return this.#watchers.size >= WATCHERS
  }

  /** @param lastId that of the last event that the client had, or null */
  watch(sink: EventSink, lastId: string | null): void {
    const stream = new EventStream(sink)
    this.#watchers.add(stream)
    stream.onClose = () => this.#watchers.delete(stream)
    const known = this.#numberOf(lastId)
    const points = this.#recorder.since(known ?? 0)
    const past: Past = { server: this.#view.startedAt, isWhole: known === null, points }
    stream.write(eventText({ event: 'history', data: JSON.stringify(past), retry: RETRY }))
    const snapshot = this.#census.take()
    stream.offer(this.#event(null, snapshot, this.#recorder.last))
    this.#refreshChannels()
  }

  close(): void {
    for (const stream of this.#watchers) stream.close()
  }

  #tell(point: Point, snapshot: Snapshot): void {
    if (this.#watchers.size === 0) return
    const text = this.#event(point, snapshot, point.number)
    for (const stream of this.#watchers) stream.offer(text)
    this.#refreshChannels()
  }

  #event(point: Point | null, snapshot: Snapshot, number: number): string {
    const { counts, threads, published } = snapshot
    const now: Now = {
      server: this.#view.startedAt,
      point,
      status: statusOf(snapshot),
      notReady: reasonNotReady(this.#view),
      hub: {
        published,
        delivered: counts.counter('hubDelivered'),
        skipped: counts.counter('hubSkipped'),
        slowClosed: counts.counter('hubSlowClosed'),
        members: sumOf('hubMembers', threads),
        subscriptions: sumOf('hubSubscriptions', threads),
        heldBytes: sumOf('hubHeldBytes', threads)
      },
      channels: this.#channels.latest
    }
    return eventText({ event: 'now', id: `${this.#view.startedAt}-${number}`, data: JSON.stringify(now) })
  }

  #refreshChannels(): void {
    // While the server closes, what was known last is shown.
    this.#channels.refresh().catch(() => {})
  }

  /** The number of the point that a client had last, or null if it had none of this run of the server. */
  #numberOf(id: string | null): number | null {
    const [, startedAt, number] = /^(\d{1,15})-(\d{1,15})$/.exec(id ?? '') ?? []
    const isKnown = Number(startedAt) === this.#view.startedAt && Number(number) <= this.#recorder.last
    return isKnown ? Number(number) : null
  }
}
