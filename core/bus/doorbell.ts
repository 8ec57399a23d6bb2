/** Behind which word the count of rings lies. */
const COUNT = 1

/**
 * Wakes threads that sleep until there is work. Ringing costs one load while nobody sleeps.
 *
 * A thread that dies while it rings must not take the wake-up with it. So the flag falls last, after the notification,
 * and only if it still is the flag that was answered: its value is the ticket of the sleeper's round.
 */
export class Doorbell {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #flag: number

  /** @param at the first of two words: the flag, and the count that sleepers wait on */
  constructor(words: Int32Array<SharedArrayBuffer>, at: number) {
    this.#words = words
    this.#flag = at
  }

  /** To be called after the work has been made visible. */
  ring(): void {
    const ticket = Atomics.load(this.#words, this.#flag)
    if (ticket !== 0) this.#wake(ticket)
  }

  /** Announces a sleeper. It then has to look for work once more before it sleeps: what came before this rang for nobody. */
  arm(): number {
    const seen = Atomics.load(this.#words, this.#flag + COUNT)
    Atomics.store(this.#words, this.#flag, ticketOf(seen))
    return seen
  }

  /** Calls back at the next ring after `arm()`. That keeps no thread alive. */
  sleep(seen: number, onRing: () => void): void {
    const wait = Atomics.waitAsync(this.#words, this.#flag + COUNT, seen)
    if (wait.async) void wait.value.then(onRing)
    else queueMicrotask(onRing)
  }

  #wake(ticket: number): void {
    Atomics.add(this.#words, this.#flag + COUNT, 1)
    Atomics.notify(this.#words, this.#flag + COUNT)
    Atomics.compareExchange(this.#words, this.#flag, ticket, 0)
  }
}

function ticketOf(seen: number): number {
  return (seen << 1) | 1
}
