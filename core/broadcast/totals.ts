/**
 * What the members of a thread's hub have got. Every message that is read counts as owed once for each subscriber, and then
 * is in exactly one other place: owed = delivered + skipped + abandoned + held back + still to be fanned out.
 */
export class Totals {
  owed = 0
  delivered = 0
  /** Dropped for slow members who have been told. */
  skipped = 0
  /** Owed to members that left. */
  abandoned = 0
  /** Held back for stalled members, or dropped and not told yet. */
  held = 0
  heldBytes = 0
  /** How many members the policy has closed. */
  slowClosed = 0
  members = 0
  /** Without those for what is broadcast, that every member has. */
  subscriptions = 0
  /** How often offsets of a channel did not follow each other. It would be a fault of the log. */
  holes = 0
  published = 0
}
