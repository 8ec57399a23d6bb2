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
  tell(frame: Buffer, channel: Channel, place: number | null): void
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
  readonly #epoch: string
  readonly #isOfOtherEpoch: boolean
  readonly #settle: (outcome: Recovered | null) => void
  after: number | null
  isOver = false
  #isTold = false
  #count = 0
  #lost: Lost | null = null

  constructor(
    channel: Channel,
    member: Returner,
    epoch: string,
    since: Since | null,
    settle: (outcome: Recovered | null) => void
  ) {
    this.channel = channel
    this.#member = member
    this.#epoch = epoch
    this.#isOfOtherEpoch = since !== null && since.epoch !== epoch
    this.#settle = settle
    this.after = since === null || this.#isOfOtherEpoch ? null : since.offset
  }

  get format(): Format {
    return this.#member.format
  }

  advance(messages: Parcel | null, lost: Lost | null, offset: number, isLevel: boolean): void {
    if (this.#isOfOtherEpoch) return this.#startAnew(offset, null)
    this.#tellOnce(offset)
    if (lost !== null) {
      this.#lost = { from: this.#lost?.from ?? lost.from, to: lost.to }
      this.#member.tell(this.channel.envelope.lostFrame(lost, null, null), this.channel, lost.to)
    }
    if (isLevel) this.#member.follow(this)
    if (messages !== null) {
      this.#count += messages.messages.length
      this.after = messages.messages.at(-1)!.offset
      if (!this.#member.give(messages)) return this.fail()
    }
    if (isLevel) this.#end({ offset, error: null })
    else this.#member.comeAgain(this)
  }

  refuse(offset: number): void {
    this.#startAnew(offset, new ScherzoError('SCZ_ERR_HUB_OFFSET', [this.channel.name, this.after!, offset]))
  }

  fail(): void {
    if (this.isOver) return
    this.isOver = true
    this.#settle(null)
  }

  /** Nothing of what it had is known here. */
  #startAnew(offset: number, error: ScherzoError | null): void {
    this.#tellOnce(offset)
    this.#lost = { from: 1, to: offset }
    const epoch = this.#isOfOtherEpoch ? this.#epoch : null
    const frame = this.channel.envelope.lostFrame(this.#lost, epoch, error?.code ?? null)
    this.#member.tell(frame, this.channel, offset)
    this.#member.follow(this)
    this.#end({ offset, error })
  }

  #tellOnce(offset: number): void {
    if (this.#isTold) return
    this.#isTold = true
    const isNew = this.after === null && !this.#isOfOtherEpoch
    const frame = this.channel.envelope.subscribedFrame(this.#epoch, offset)
    this.#member.tell(frame, this.channel, isNew ? offset : null)
  }

  #end({ offset, error }: Pick<Recovered, 'offset' | 'error'>): void {
    this.isOver = true
    this.#settle({ epoch: this.#epoch, offset, count: this.#count, lost: this.#lost, error })
  }
}
