/**
 * What one connection has received of a sequence that starts at 0. A message that is not the expected one leaves either
 * a hole or is late: a duplicate, or out of order.
 */
export class Sequence {
  /** One more than the last message received. */
  expected = 0
  delivered = 0
  missing = 0
  late = 0
  /** Messages that the server has told it left out. */
  skipped = 0

  takeUnexpected(sequence: number): void {
    this.delivered++
    if (sequence < this.expected) {
      this.late++
    } else {
      this.missing += sequence - this.expected
      this.expected = sequence + 1
    }
  }

  /** The server tells of messages that it left out before it goes on with the next one. */
  takeSkipped(first: number, last: number): void {
    this.skipped += last - first + 1
    if (first < this.expected) this.late++
    else this.missing += first - this.expected
    this.expected = Math.max(this.expected, last + 1)
  }
}

/** All connections together, when publishing has ended. */
export interface Account {
  /** Published x subscribers. */
  owed: number
  delivered: number
  skipped: number
  inFlight: number
  /** In words, of the connections that do not add up. */
  faults: string[]
}

const FAULTS_SHOWN = 5

/**
 * published = delivered + skipped + in flight on every connection. What is in flight has to arrive later, so this is
 * asked for once when publishing ends and once more when everything should be there.
 */
export function settle(sequences: readonly Sequence[], published: number): Account {
  const account: Account = {
    owed: published * sequences.length,
    delivered: 0,
    skipped: 0,
    inFlight: 0,
    faults: []
  }
  for (const [index, sequence] of sequences.entries()) {
    const inFlight = published - sequence.expected
    account.delivered += sequence.delivered
    account.skipped += sequence.skipped
    account.inFlight += inFlight
    if (!isSound(sequence, inFlight, published) && account.faults.length < FAULTS_SHOWN)
      account.faults.push(`connection ${index}: ${describe(sequence, inFlight, published)}`)
  }
  return account
}

function isSound(
  { delivered, skipped, missing, late }: Sequence,
  inFlight: number,
  published: number
): boolean {
  return late === 0 && missing === 0 && inFlight >= 0 && delivered + skipped + inFlight === published
}

function describe(sequence: Sequence, inFlight: number, published: number): string {
  const { delivered, skipped, missing, late } = sequence
  return (
    `${published} published, ${delivered} delivered, ${skipped} skipped, ${inFlight} in flight, ` +
    `${missing} missing, ${late} repeated or out of order`
  )
}
