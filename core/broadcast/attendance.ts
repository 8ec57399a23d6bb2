import type { Shown } from './presence.ts'

/** What has changed in one channel on one thread. */
export interface AttendanceReport {
  readonly channel: string
  /** Those whose first socket has come, or who show other data. */
  readonly joined: readonly Shown[]
  /** Ids of those whose last socket has gone. */
  readonly left: readonly string[]
}

/** Where sockets say in which channels they are, and as whom. */
export interface Attending {
  /** Whether anybody is to know. */
  isAsked(channel: string): boolean
  enter(channel: string, shown: Shown): void
  /** A socket that is there already shows other data. */
  show(channel: string, shown: Shown): void
  leave(channel: string, id: string): void
}

export interface AttendanceOptions {
  readonly isAsked: (channel: string) => boolean
  /** Gets what a turn of the event loop has changed. */
  readonly report: (reports: readonly AttendanceReport[]) => void
}

/** Counts the sockets of each identity in each channel of a thread. What comes and goes within a turn is not reported. */
export class Attendance implements Attending {
  readonly #channels = new Map<string, Map<string, Attendee>>()
  readonly #changed = new Set<Attendee>()
  readonly #options: AttendanceOptions
  #isScheduled = false

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  isAsked(channel: string): boolean {
    return this.#options.isAsked(channel)
  }

  enter(channel: string, { id, data }: Shown): void {
    let attendees = this.#channels.get(channel)
    if (attendees === undefined) this.#channels.set(channel, (attendees = new Map()))
    let attendee = attendees.get(id)
    if (attendee === undefined) attendees.set(id, (attendee = new Attendee(channel, id)))
    attendee.sockets++
    attendee.data = data
    this.#change(attendee)
  }

  show(channel: string, { id, data }: Shown): void {
    const attendee = this.#channels.get(channel)?.get(id)
    if (attendee === undefined) return
    attendee.data = data
    this.#change(attendee)
  }

  leave(channel: string, id: string): void {
    const attendee = this.#channels.get(channel)?.get(id)
    if (attendee === undefined || --attendee.sockets > 0) return
    this.#change(attendee)
  }

  /** Everybody who has been reported and has not been reported to have left. */
  all(): AttendanceReport[] {
    return [...this.#channels].map(([channel, attendees]) => ({
      channel,
      joined: [...attendees.values()]
        .filter(({ isReported }) => isReported)
        .map(({ id, reportedData }) => ({ id, data: reportedData })),
      left: []
    }))
  }

  #change(attendee: Attendee): void {
    this.#changed.add(attendee)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const reports = this.#take()
      if (reports.length > 0) this.#options.report(reports)
    })
  }

  #take(): AttendanceReport[] {
    const reports = new Map<string, { channel: string; joined: Shown[]; left: string[] }>()
    for (const attendee of this.#changed) {
      const { channel, id, data, sockets, isReported, reportedData } = attendee
      if (sockets === 0) this.#forget(attendee)
      if (sockets === 0 ? !isReported : isReported && reportedData === data) continue
      let report = reports.get(channel)
      if (report === undefined) reports.set(channel, (report = { channel, joined: [], left: [] }))
      if (sockets === 0) report.left.push(id)
      else report.joined.push({ id, data })
      attendee.isReported = true
      attendee.reportedData = data
    }
    this.#changed.clear()
    return [...reports.values()]
  }

  #forget({ channel, id }: Attendee): void {
    const attendees = this.#channels.get(channel)
    attendees?.delete(id)
    if (attendees?.size === 0) this.#channels.delete(channel)
  }
}

class Attendee {
  readonly channel: string
  readonly id: string
  data: string | null = null
  sockets = 0
  isReported = false
  reportedData: string | null = null

  constructor(channel: string, id: string) {
    this.channel = channel
    this.id = id
  }
}
