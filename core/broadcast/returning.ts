import { ScherzoError } from '../errors.ts'
import type { Channel } from './channel.ts'
import type { Format } from './format.ts'
import type { Parcel } from './parcel.ts'
import type { Comeback } from './recovery.ts'
import type { Lost, Recovered, Since } from './since.ts'

/** What a comeback needs of its member. */
export interface Returner {
  readonly format: Format
  /** @param place the offset up to which the client knows what it has and has not from then on, or null: as before */
  tell(frame: Buffer, channel: Channel, place: Since | null): void
  /** @returns whether it is still a member then: the policy may have ended it */
  give(messages: Parcel): boolean
  /** It comes again, for more, when the client has taken everything so far. */
  comeAgain(comeback: Comeback): void
  /** The member gets what is read from now on. */
  follow(comeback: Comeback): void
}

/** A subscription that is on its way to the live stream. */
export class Returning implements Comeback {
  channel: Channel
  readonly #member: Returner
  readonly epoch: string | null
  readonly #settle: (outcome: Recovered | null) => void
  after: number | null
  ordinal = 0
  isOver = false
  #isTold = false
  #count = 0
  #lost: Lost | null = null

  constructor(
    channel: Channel,
    member: Returner,
    since: Since | null,
    settle: (outcome: Recovered | null) => void
  ) {
    this.channel = channel
    this.#member = member
    this.#settle = settle
    this.epoch = since?.epoch ?? null
    this.after = since?.offset ?? null
  }

  get format(): Format {
    return this.#member.format
  }

  advance(messages: Parcel | null, lost: Lost | null, place: Since, isLevel: boolean): void {
    // Who has nothing begins before the first message that it gets.
    this.#tellOnce(
      this.after === null && messages !== null
        ? { ...place, offset: messages.messages[0]!.offset - 1 }
        : place
    )
    if (lost !== null) {
      this.#lost = { from: this.#lost?.from ?? lost.from, to: lost.to }
      this.#member.tell(this.channel.envelope.lostFrame(lost, null, null), this.channel, {
        epoch: place.epoch,
        offset: lost.to
      })
    }
    if (isLevel) this.#member.follow(this)
    if (messages !== null) {
      this.#count += messages.messages.length
      this.after = messages.messages.at(-1)!.offset
      if (!this.#member.give(messages)) return this.fail()
    }
    if (isLevel) this.#end(place, null)
    else this.#member.comeAgain(this)
  }

  refuse(place: Since): void {
    const values = [this.channel.name, this.after!, place.offset]
    this.#startAnew(place, null, new ScherzoError('SCZ_ERR_HUB_OFFSET', values))
  }

  startAnew(place: Since): void {
    this.#startAnew(place, place.epoch, null)
  }

  fail(): void {
    if (this.isOver) return
    this.isOver = true
    this.#settle(null)
  }

  /** Nothing of what it had is known here. */
  #startAnew(place: Since, epoch: string | null, error: ScherzoError | null): void {
    this.#tellOnce(place)
    this.#lost = { from: 1, to: place.offset }
    const frame = this.channel.envelope.lostFrame(this.#lost, epoch, error?.code ?? null)
    this.#member.tell(frame, this.channel, place)
    this.#member.follow(this)
    this.#end(place, error)
  }

  #tellOnce({ epoch, offset }: Since): void {
    if (this.#isTold) return
    this.#isTold = true
    const frame = this.channel.envelope.subscribedFrame(epoch, offset)
    // Who has been here before goes on from there, until it has more.
    this.#member.tell(frame, this.channel, this.epoch === null ? { epoch, offset } : null)
  }

  #end({ epoch, offset }: Since, error: ScherzoError | null): void {
    this.isOver = true
    this.#settle({ epoch, offset, count: this.#count, lost: this.#lost, error })
  }
}
