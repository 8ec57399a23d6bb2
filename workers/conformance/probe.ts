import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConformanceCase, Exchange, Reply, Requirement, Verdict } from './case.ts'

/** Milliseconds without the end of a head before the server counts as silent. The probe waits 5,000. */
const silence = 2500
/** Milliseconds for the body, and for a second answer, after the head of the first. */
const afterHead = 100
/** Milliseconds for the server to close, and for one that has announced it. */
const closing = 50
const announcedClosing = 2000

const concurrency = 16

export interface Finding {
  id: string
  requirement: Requirement
  scored: boolean
  verdict: Verdict
  /** What the server did, step by step, for the reader of a failed test: `400 closed`. */
  saw: string
}

/** Runs the cases against a server, some at a time, and gives their findings in the order of the cases. */
export async function probeAll(address: string, cases: readonly ConformanceCase[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const queue = cases.entries()
  const lane = async (): Promise<void> => {
    for (const [index, conformanceCase] of queue) findings[index] = await probe(address, conformanceCase)
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return findings
}

export async function probe(address: string, conformanceCase: ConformanceCase): Promise<Finding> {
  const { id, requirement, scored, send, expect } = conformanceCase
  const line = new Line(address)
  await line.opened()
  const exchanges: Exchange[] = []
  for (const step of send) {
    const gone = exchanges.some(({ connection }) => connection !== 'open')
    if (gone) exchanges.push({ reply: null, connection: 'skipped' })
    else exchanges.push(await line.exchange(typeof step === 'string' ? step : step(exchanges)))
  }
  line.hangUp()
  const saw = exchanges
    .map(({ reply, connection }) => `${reply?.status ?? 'no answer'} ${connection}`)
    .join(', ')
  return { id, requirement, scored, verdict: expect(exchanges), saw }
}

/** One connection; keeps what came in since the last request and wakes whoever waits for it. */
class Line {
  readonly #socket: Socket
  #connected = false
  #closed = false
  #received = ''
  #wake: () => void = () => {}

  constructor(address: string) {
    const { hostname, port } = new URL(address)
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('connect', () => {
      this.#connected = true
      this.#wake()
    })
    this.#socket.on('data', (text) => {
      this.#received += String(text)
      this.#wake()
    })
    const close = (): void => {
      this.#closed = true
      this.#wake()
    }
    // A reset counts as closed: servers that refuse a large request close before they have read all of it.
    this.#socket.on('end', close).on('close', close).on('error', close)
  }

  /** A server that cannot be reached must not pass as one that hangs up. */
  async opened(): Promise<void> {
    await this.#until(() => this.#connected || this.#closed, silence)
    if (!this.#connected) throw new Error('Cannot connect to the server under test')
  }

  async exchange(request: string): Promise<Exchange> {
    this.#received = ''
    if (request !== '') this.#socket.write(request, 'latin1')
    await this.#until(() => this.#closed || this.#hasHead(), silence)
    if (!this.#hasHead())
      return { reply: parse(this.#received), connection: this.#closed ? 'closed' : 'silent' }

    await sleep(afterHead)
    const reply = parse(this.#received)
    const announced = reply?.headers.get('connection')?.toLowerCase().includes('close') ?? false
    await this.#until(() => this.#closed, announced ? announcedClosing : closing)
    return { reply, connection: this.#closed ? 'closed' : 'open' }
  }

  hangUp(): void {
    this.#socket.destroy()
  }

  #hasHead(): boolean {
    return this.#received.includes('\r\n\r\n')
  }

  async #until(condition: () => boolean, milliseconds: number): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        if (!condition()) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => {}
  }
}

function parse(raw: string): Reply | null {
  const status = /^\S+ (\d+)/.exec(raw)?.[1]
  if (status === undefined || !raw.includes('\n')) return null
  const end = raw.indexOf('\r\n\r\n')
  const headers = new Map<string, string>()
  for (const line of raw
    .slice(0, end === -1 ? undefined : end)
    .split(/\r?\n/)
    .slice(1)) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const former = headers.get(name)
    headers.set(name, former === undefined ? value : `${former}, ${value}`)
  }
  return { status: Number(status), headers, body: end === -1 ? '' : raw.slice(end + 4), raw }
}
