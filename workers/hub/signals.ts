import { randomUUID } from 'node:crypto'
import type { Broker } from '../../core/bus/broker.ts'
import type { Control } from '../../routes/websocket/control.ts'
import { type ControlSignal, type ReachedSignal, type WireControl, encodeSignal } from './signal.ts'

/** How long the answers of other instances are waited for, in milliseconds. */
const ANSWER_TIMEOUT = 1000

interface Ask {
  /** How many other instances there are; null: nobody knows. */
  others: number | null
  answers: number
  /** Sockets that they have reached. */
  count: number
  readonly end: () => void
}

/** Carries what is done to the sockets of an identity to all other instances, and brings back how many were reached there. */
export class Signals {
  readonly #broker: Broker
  readonly #apply: (control: Control) => Promise<number>
  readonly #self = randomUUID()
  readonly #asks = new Map<number, Ask>()
  #lastAsk = 0

  /** @param apply acts on the sockets of this instance */
  constructor(broker: Broker, apply: (control: Control) => Promise<number>) {
    this.#broker = broker
    this.#apply = apply
  }

  /** @returns how many sockets were reached elsewhere, by the instances that answered in time; 0 while the broker is away */
  async send(control: Control): Promise<number> {
    const id = ++this.#lastAsk
    const { promise, resolve } = Promise.withResolvers<void>()
    const ask: Ask = { others: null, answers: 0, count: 0, end: resolve }
    this.#asks.set(id, ask)
    const timer = setTimeout(resolve, ANSWER_TIMEOUT)
    const signal = { type: 'control', from: this.#self, ask: id, control: toWire(control) } as const
    void this.#broker.signal(encodeSignal(signal)).then(
      (others) => {
        ask.others = others
        endIfWhole(ask)
      },
      () => resolve()
    )
    await promise
    clearTimeout(timer)
    this.#asks.delete(id)
    return ask.count
  }

  take(signal: ControlSignal | ReachedSignal): void {
    if (signal.type === 'control') {
      // Some brokers send it to everybody, the sender included.
      if (signal.from !== this.#self) void this.#answer(signal.from, signal.ask, signal.control)
      return
    }
    const ask = signal.to === this.#self ? this.#asks.get(signal.ask) : undefined
    if (ask === undefined) return
    ask.count += signal.count
    ask.answers++
    endIfWhole(ask)
  }

  async #answer(from: string, ask: number, control: WireControl): Promise<void> {
    const count = await this.#apply(ofWire(control))
    // Where the broker is lost on the way, the other one does without.
    await this.#broker.signal(encodeSignal({ type: 'reached', to: from, ask, count })).catch(() => {})
  }
}

/** An answer may come before it is known how many there will be. */
function endIfWhole({ others, answers, end }: Ask): void {
  if (others !== null && answers >= others) end()
}

function toWire(control: Control): WireControl {
  if (control.action !== 'send') return control
  const { identity, data } = control
  if (typeof data === 'string') return { action: 'send', identity, data, isBinary: false }
  return { action: 'send', identity, data: Buffer.from(data).toString('base64'), isBinary: true }
}

function ofWire(control: WireControl): Control {
  if (control.action !== 'send') return control
  const { identity, data, isBinary } = control
  return { action: 'send', identity, data: isBinary ? Buffer.from(data, 'base64') : data }
}
