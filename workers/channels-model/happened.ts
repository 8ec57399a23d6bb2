/** What a test counts of a connection. */
export interface Counts {
  messages: number
  lost: number
  skipped: number
  withdrawn: number
  /** Of connections that read too slowly. */
  slowEnds: number
}

/** What happened in a schedule, for the report. */
export type Happened = Record<
  keyof Counts | 'commands' | 'connections' | 'published' | 'unanswered' | 'kills' | 'reloads',
  number
>

export function nothingCounted(): Counts {
  return { messages: 0, lost: 0, skipped: 0, withdrawn: 0, slowEnds: 0 }
}

export function nothingHappened(): Happened {
  return {
    commands: 0,
    connections: 0,
    published: 0,
    unanswered: 0,
    kills: 0,
    reloads: 0,
    ...nothingCounted()
  }
}
