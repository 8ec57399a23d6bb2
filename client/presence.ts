/** Who is in a channel, as far as the client has been told. */
export interface Presence {
  readonly count: number
  /** What the members show of themselves, by id; null where there are too many to name. */
  readonly members: ReadonlyMap<string, unknown> | null
  /** Ids that are new, or show other data, since the last time; empty where the whole state came. */
  readonly joined: readonly string[]
  readonly left: readonly string[]
}

export interface Member {
  readonly id: string
  readonly data?: unknown
}

/** As the server tells it: a state has members, a change who joined or left, and very large channels the count alone. */
export interface PresenceNotice {
  readonly count: number
  readonly members?: readonly Member[]
  readonly joined?: readonly Member[]
  readonly left?: readonly string[]
}

/** @param before null before the first state */
export function nextPresence(before: Presence | null, notice: PresenceNotice): Presence {
  const { count, members, joined = [], left = [] } = notice
  return {
    count,
    members: membersAfter(before, notice),
    joined: members ? [] : joined.map(({ id }) => id),
    left
  }
}

function membersAfter(before: Presence | null, notice: PresenceNotice): Map<string, unknown> | null {
  const { members, joined, left } = notice
  if (members === undefined && (before?.members == null || (joined ?? left) === undefined)) return null
  const next = new Map(members === undefined ? before!.members : [])
  for (const { id, data } of members ?? joined ?? []) next.set(id, data)
  for (const id of left ?? []) next.delete(id)
  return next
}
