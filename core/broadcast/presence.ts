import type { PresenceRule } from './presence-rule.ts'

/** What others see of a member. */
export interface Shown {
  readonly id: string
  /** JSON, or null where the app shows nothing. */
  readonly data: string | null
}

/**
 * Who is in one channel, as the primary knows it, and what those have been told who watch. A member that leaves is missed only when it
 * has been away for the interval, so who reconnects makes no change. Of more members than `maxMembers` only the number is told,
 * until there are clearly fewer. It takes no timers and no sockets: the time comes from outside.
 *
 * A member takes about 290 bytes beside its id and data (Node 26.10, 2026-11-21, `node --expose-gc bench/micro/presence.ts`).
 */
export class Presence {
  /** Those that are there, and those that left and are not missed yet. */
  readonly #members = new Map<string, Member>()
  /** Those of whom something may have to be told. */
  readonly #changed = new Set<Member>()
  #present = 0
  /** How many members those who watch know. */
  #told = 0
  #lastCount = 0
  #isCounted = false
  #mustRestate = false
  #state: string | null = null

  /** How many members are there now. */
  get count(): number {
    return this.#present
  }

  /** Whether there is nothing to be told, now or later. */
  get isTold(): boolean {
    return this.#changed.size === 0 && !this.#mustRestate
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /**
   * The first socket of an identity on a thread, or other data of one that is there. The last data that came are shown.
   *
   * @returns whether it is the first
   */
  enter(thread: number, { id, data }: Shown): boolean {
    let member = this.#members.get(id)
    if (member === undefined) {
      member = new Member(id)
      this.#members.set(id, member)
    }
    const { threads } = member
    if (threads.length === 0) this.#present++
    const isFirst = !threads.includes(thread)
    if (isFirst) threads.push(thread)
    member.data = data
    if (member.isNews) this.#changed.add(member)
    else this.#changed.delete(member)
    return isFirst
  }

  /**
   * The last socket of an identity on a thread has gone.
   *
   * @param now in milliseconds, of a clock that never goes back
   * @returns whether it was there
   */
  leave(thread: number, id: string, now: number): boolean {
    const member = this.#members.get(id)
    return member !== undefined && this.#remove(member, thread, now)
  }

  /** Nothing that the thread has reported holds any more. @returns who was there */
  end(thread: number, now: number): string[] {
    const ids: string[] = []
    for (const member of this.#members.values()) if (this.#remove(member, thread, now)) ids.push(member.id)
    return ids
  }

  /** What is to be told at this time, as JSON, or null. */
  take(now: number, { maxMembers, interval }: Required<PresenceRule>): string | null {
    const joined: Member[] = []
    const left: string[] = []
    for (const member of this.#changed) {
      if (member.threads.length === 0 && now - member.leftAt < interval) continue
      this.#changed.delete(member)
      if (member.threads.length === 0) {
        this.#members.delete(member.id)
        this.#told--
        left.push(member.id)
      } else {
        if (!member.isTold) this.#told++
        member.isTold = true
        member.toldData = member.data
        joined.push(member)
      }
    }
    if (joined.length + left.length > 0) this.#state = null
    return this.#compose(joined, left, maxMembers)
  }

  /** Makes all that is known what is told, with nobody to tell it to. */
  settle(limits: Required<PresenceRule>): void {
    this.take(Infinity, limits)
  }

  /** What was taken last did not reach anybody: the next will be the whole state. */
  restate(): void {
    this.#mustRestate = true
  }

  /** What those know who have been told everything so far, as JSON. */
  get state(): string {
    this.#state ??= this.#isCounted
      ? countOf(this.#told)
      : stateOf([...this.#members.values()].filter(({ isTold }) => isTold))
    return this.#state
  }

  /** What is so now, whatever has been told, as JSON. */
  snapshot({ maxMembers }: Required<PresenceRule>): string {
    if (this.#present > maxMembers) return countOf(this.#present)
    return stateOf([...this.#members.values()].filter(({ threads }) => threads.length > 0))
  }

  #remove(member: Member, thread: number, now: number): boolean {
    const { threads } = member
    const index = threads.indexOf(thread)
    if (index === -1) return false
    threads.splice(index, 1)
    if (threads.length > 0) return true
    this.#present--
    member.leftAt = now
    if (member.isTold) {
      this.#changed.add(member)
    } else {
      this.#changed.delete(member)
      this.#members.delete(member.id)
    }
    return true
  }

  #compose(joined: readonly Member[], left: readonly string[], maxMembers: number): string | null {
    const wasCounted = this.#isCounted
    this.#isCounted = this.#told > (wasCounted ? maxMembers * BACK_AT : maxMembers)
    const isOther = wasCounted !== this.#isCounted || this.#mustRestate
    const isSame = this.#isCounted ? this.#told === this.#lastCount : joined.length + left.length === 0
    if (isSame && !isOther) return null
    this.#lastCount = this.#told
    this.#mustRestate = false
    if (isOther) this.#state = null
    if (this.#isCounted || isOther) return this.state
    const fields = [
      `"count":${this.#told}`,
      ...(joined.length > 0 ? [`"joined":[${joined.map(jsonOf).join(',')}]`] : []),
      ...(left.length > 0 ? [`"left":${JSON.stringify(left)}`] : [])
    ]
    return `{${fields.join(',')}}`
  }
}

/** Members are named again when there are no more than this part of `maxMembers`, so that one who comes and goes does not decide. */
const BACK_AT = 0.9

class Member implements Shown {
  readonly id: string
  data: string | null = null
  /** Those on which it has sockets. */
  readonly threads: number[] = []
  isTold = false
  toldData: string | null = null
  leftAt = 0

  constructor(id: string) {
    this.id = id
  }

  /** Whether it is there and not as it has been told. */
  get isNews(): boolean {
    return !this.isTold || this.toldData !== this.data
  }
}

function stateOf(members: readonly Member[]): string {
  return `{"count":${members.length},"members":[${members.map(jsonOf).join(',')}]}`
}

function countOf(count: number): string {
  return `{"count":${count}}`
}

function jsonOf({ id, data }: Shown): string {
  return data === null ? `{"id":${JSON.stringify(id)}}` : `{"id":${JSON.stringify(id)},"data":${data}}`
}
