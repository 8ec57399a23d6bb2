import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import type { PresenceChange, PresenceState } from './presence-signal.ts'

/** How many changes are kept for later. With more of them missing, only the whole state helps. */
const MAX_EARLY = 1000

/** Another instance, as far as its signals have told. They may be lost and overtake each other. */
export class Neighbour {
  /** Stands for it where threads have numbers. */
  readonly number: number
  /** Until when it counts as there without a word, by performance.now(). */
  until = 0
  /** Since when something has been missing; null: nothing is. */
  behindSince: number | null = null
  /** The last change that has been taken. Before its first one nobody is there. */
  #taken = 0
  #last = 0
  readonly #early = new Map<number, readonly AttendanceReport[]>()
  #state: { readonly change: number; readonly parts: Map<number, readonly AttendanceReport[]> } | null = null

  constructor(number: number) {
    this.number = number
  }

  /** Whether there is something that it has told and that has not come. */
  get isBehind(): boolean {
    return this.#taken < this.#last
  }

  /** Its last change is this, or a later one. */
  hear(change: number): void {
    this.#last = Math.max(this.#last, change)
  }

  /** @returns what holds now, in this order */
  take({ change, reports }: PresenceChange): AttendanceReport[] {
    this.hear(change)
    if (change <= this.#taken) return []
    if (this.#early.size === MAX_EARLY) this.#early.clear()
    this.#early.set(change, reports)
    return this.#next()
  }

  /** @returns everybody who is there, in place of what was known; null: it is not whole yet, or nothing new */
  takeState({ change, part, parts, reports }: PresenceState): AttendanceReport[] | null {
    this.hear(change)
    if (change <= this.#taken) return null
    if (this.#state?.change !== change) this.#state = { change, parts: new Map() }
    this.#state.parts.set(part, reports)
    if (this.#state.parts.size < parts) return null
    const all = [...this.#state.parts.values()].flat()
    this.#state = null
    this.#taken = change
    for (const early of this.#early.keys()) if (early <= change) this.#early.delete(early)
    return [...all, ...this.#next()]
  }

  #next(): AttendanceReport[] {
    const next: AttendanceReport[] = []
    for (
      let reports = this.#early.get(this.#taken + 1);
      reports !== undefined;
      reports = this.#early.get(this.#taken + 1)
    ) {
      this.#early.delete(++this.#taken)
      next.push(...reports)
    }
    return next
  }
}
