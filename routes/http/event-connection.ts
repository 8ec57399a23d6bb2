import type { Writable } from 'node:stream'
import type { ServerResponse } from 'node:http'
import { formatOf } from '../../core/broadcast/format.ts'
import type { Format } from '../../core/broadcast/format.ts'
import { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { Membership } from '../../core/broadcast/subscriptions.ts'
import { wrap } from '../../core/broadcast/wrapping.ts'
import type { ScherzoError } from '../../core/errors.ts'
import { commentText, eventText } from '../../core/http/server-sent-event.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { drainNotice, unsubscribedNotice } from '../protocol/notices.ts'
import type { Reconnect } from '../protocol/notices.ts'
import type { Services } from '../websocket/endpoint.ts'
import type { Identity } from '../websocket/identity.ts'
import type { Resident } from '../websocket/roster.ts'
import type { Place, Standee } from '../websocket/standee.ts'
import { Standing } from '../websocket/standing.ts'
import { placesText } from './event-places.ts'

/** What all streams of a route share. */
export interface EventPlace extends Place {
  readonly services: Services
}

const HEARTBEAT = Buffer.from(commentText())

/** A client that takes nothing for so many heartbeats is gone. */
const BEATS_WITHOUT_READING = 2

/** How long a client waits before it comes back, in milliseconds: not all at the same moment when a worker is lost. */
const LEAST_RETRY = 1000
const RETRY_SPREAD = 2000

/** A stream of server-sent events from its head on. */
export class EventConnection implements Standee, Resident {
  readonly outbox: Outbox
  readonly standing: Standing
  readonly #response: ServerResponse
  readonly #place: EventPlace
  readonly #format: Format
  readonly #membership: Membership
  readonly #address: string | null
  readonly #group: number
  #isOpen = true
  /** What waited for the client at the last heartbeat, and for how many it has taken nothing. */
  #buffered = 0
  #beats = 0

  /** @param sink where the body of the response goes: the connection itself, or a stream of HTTP/2 */
  constructor(
    response: ServerResponse,
    sink: Writable,
    place: EventPlace,
    channels: readonly string[],
    address: string | null
  ) {
    const { services, options } = place
    this.#response = response
    this.#place = place
    this.outbox = new Outbox(sink)
    this.standing = new Standing(this, place)
    const events = { hasIds: channels.length === 1 }
    this.#format = formatOf({ pace: null, isBinary: false, compression: null, events })
    this.#address = address
    if (address !== null) services.addresses.add(address)
    this.#group = services.roster.add(this)
    response.once('close', () => this.#release())
    this.#membership = services.subscriptions.join(this.outbox, options.slow, this, this.#format)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** @param places where the client has been before, by channel */
  open(identity: Identity | null, channels: readonly string[], places: ReadonlyMap<string, Since>): void {
    if (identity !== null) this.standing.settle(identity)
    if (channels.length > 1) this.#givePlaces(places)
    const retry = LEAST_RETRY + Math.floor(Math.random() * RETRY_SPREAD)
    this.outbox.send(Buffer.from(`retry: ${retry}\n\n`))
    for (const channel of channels) void this.subscribe(channel, places.get(channel) ?? null)
  }

  subscribe(channel: string, since: Since | null = null): Promise<Recovered | null> | undefined {
    if (!this.#isOpen) return undefined
    const outcome = this.#membership.subscribe(channel, since)
    this.standing.attend(channel)
    return outcome
  }

  withdraw(channel: string): void {
    if (!this.#isOpen || !this.#membership.unsubscribe(channel)) return
    this.standing.absent(channel)
    this.outbox.send(eventOf('unsubscribed', unsubscribedNotice(channel)))
  }

  // A stream tells nothing of who is present.
  watchPresence(): void {}

  unwatchPresence(): void {}

  sendFrame(frame: Buffer): void {
    this.outbox.send(wrap(frame, this.#format, null))
  }

  /** The same code and reason as a WebSocket would be closed with, in an event. */
  close(code: number, reason: string): void {
    if (this.#isOpen) this.#end(eventOf('closed', JSON.stringify({ closed: { code, reason } })))
  }

  closeFor(error: ScherzoError): void {
    this.close(error.closeCode ?? closeCodes.internalError, error.message)
  }

  closeForDrain(reconnect: Reconnect, sockets: number): void {
    if (this.#isOpen) this.#end(drainEvent(reconnect, sockets))
  }

  /** A heartbeat is due. */
  tick(): void {
    const { isStalled, bufferedBytes } = this.outbox
    this.#beats = isStalled && bufferedBytes === this.#buffered ? this.#beats + 1 : 0
    this.#buffered = bufferedBytes
    if (this.#beats === BEATS_WITHOUT_READING) return this.cut()
    if (this.#isOpen && !isStalled) this.outbox.send(HEARTBEAT)
  }

  cut(): void {
    this.#response.destroy()
  }

  /** With several channels each client has ids of its own, in front of the events that all share. */
  #givePlaces(places: ReadonlyMap<string, Since>): void {
    const current = new Map(places)
    this.outbox.onPlace = (channel, { epoch, offset }) => {
      current.set(channel, { epoch, offset })
      this.outbox.send(Buffer.from(`id: ${placesText(current)}\n`))
    }
  }

  #end(last: Buffer): void {
    this.#isOpen = false
    this.#leave()
    this.outbox.send(last)
    this.outbox.flush()
    this.#place.services.deadlines.add(this)
    this.#response.end()
  }

  #leave(): void {
    this.#membership.leave()
    this.standing.leave()
  }

  #release(): void {
    const { roster, deadlines, addresses } = this.#place.services
    if (this.#address !== null) addresses.delete(this.#address)
    roster.delete(this, this.#group)
    deadlines.delete(this)
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#leave()
  }
}

/** Of a worker that goes away, behind which nothing comes. */
export function drainEvent(reconnect: Reconnect, sockets: number): Buffer {
  const notice = drainNotice(reconnect, sockets)
  const { drain } = JSON.parse(notice) as { readonly drain: { readonly after: number } }
  return eventOf('drain', notice, drain.after)
}

function eventOf(event: string, data: string, retry?: number): Buffer {
  return Buffer.from(eventText({ event, data, ...(retry !== undefined && { retry }) }))
}
