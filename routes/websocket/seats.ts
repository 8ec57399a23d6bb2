import type { Attending } from '../../core/broadcast/attendance.ts'

/** The channels in which one socket counts as its identity. */
export class Seats {
  readonly #attendance: Attending
  readonly #id: string
  readonly #channels = new Set<string>()
  #data: string | null

  /** @param data JSON of what others see, or null */
  constructor(attendance: Attending, id: string, data: string | null) {
    this.#attendance = attendance
    this.#id = id
    this.#data = data
  }

  take(channel: string): void {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    this.#attendance.enter(channel, { id: this.#id, data: this.#data })
  }

  show(data: string | null): void {
    if (data === this.#data) return
    this.#data = data
    for (const channel of this.#channels) this.#attendance.show(channel, { id: this.#id, data })
  }

  leave(channel: string): void {
    if (this.#channels.delete(channel)) this.#attendance.leave(channel, this.#id)
  }

  leaveAll(): void {
    for (const channel of this.#channels) this.#attendance.leave(channel, this.#id)
    this.#channels.clear()
  }
}
