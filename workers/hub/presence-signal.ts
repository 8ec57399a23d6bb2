import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import type { Shown } from '../../core/broadcast/presence.ts'

/** What instances tell each other about who is in channels. */
export type PresenceSignal =
  | PresenceChange
  | PresenceState
  /** The instance is there, and this was its last change. */
  | { readonly type: 'presence renewal'; readonly from: string; readonly change: number }
  /** Somebody wants the whole state: of this instance, or of all. */
  | { readonly type: 'presence question'; readonly from: string; readonly to: string | null }
  /** The instance closes. */
  | { readonly type: 'presence end'; readonly from: string }

/** A change. They count from 1 on. */
export interface PresenceChange {
  readonly type: 'presence'
  readonly from: string
  readonly change: number
  readonly reports: readonly AttendanceReport[]
}

/** A part of everybody who is there, as it is behind a change. */
export interface PresenceState {
  readonly type: 'presence state'
  readonly from: string
  readonly change: number
  readonly part: number
  readonly parts: number
  readonly reports: readonly AttendanceReport[]
}

/** NATS takes 1 MiB at once, where nobody has told it otherwise, and JSON may write six bytes for a character. */
const MAX_CHARACTERS = 65_536

/** The same in pieces that are not too much for a signal. At least one. */
export function piecesOf(reports: Iterable<AttendanceReport>): AttendanceReport[][] {
  const pieces = new Pieces()
  for (const { channel, joined, left } of reports) {
    for (const shown of joined) {
      const characters = shown.id.length + (shown.data?.length ?? 0)
      pieces.reportOf(channel, characters).joined.push(shown)
    }
    for (const id of left) pieces.reportOf(channel, id.length).left.push(id)
  }
  return pieces.all
}

interface OpenReport extends AttendanceReport {
  readonly joined: Shown[]
  readonly left: string[]
}

class Pieces {
  readonly all: OpenReport[][] = [[]]
  #characters = 0

  /** @returns where the next entry belongs, which takes so much */
  reportOf(channel: string, characters: number): OpenReport {
    if (this.#characters > 0 && this.#characters + characters > MAX_CHARACTERS) {
      this.all.push([])
      this.#characters = 0
    }
    this.#characters += characters + ENTRY_OVERHEAD
    const piece = this.all.at(-1)!
    const last = piece.at(-1)
    if (last?.channel === channel) return last
    this.#characters += channel.length
    const report = { channel, joined: [], left: [] }
    piece.push(report)
    return report
  }
}

const ENTRY_OVERHEAD = 20
