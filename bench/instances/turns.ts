/** The publishing instance says on one channel that a turn is over, and the other one on the other that it has had it. */
export const TURNS = 'turns'
export const TURNS_HAD = 'turns-had'

/**
 * The publisher's backpressure is the answer of the instance that has the subscribers: without it a publisher would fill the broker and
 * that instance with what no subscriber can take yet.
 */
export class Turns {
  readonly #mostUnderWay: number
  #last = 0
  #had = 0
  #resume: () => void = () => {}

  constructor(mostUnderWay: number) {
    this.#mostUnderWay = mostUnderWay
  }

  /** @returns the number of the turn that ends now */
  end(): number {
    return ++this.#last
  }

  had(turn: number): void {
    this.#had = turn
    this.#resume()
  }

  /** Resolves when the next turn may be published. */
  async untilRoom(): Promise<void> {
    while (this.#last - this.#had >= this.#mostUnderWay)
      await new Promise<void>((resolve) => (this.#resume = resolve))
  }
}
