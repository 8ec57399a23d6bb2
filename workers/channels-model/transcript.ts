import type { Told } from './told.ts'

/** What a connection sent and was told, for people. Messages of one channel that follow one another take one line. */
export class Transcript {
  readonly #lines: string[] = []
  /** The channel and the offsets of the last line, where it is about messages. */
  #run: { readonly channel: string; readonly from: number; to: number } | null = null

  sent(request: object): void {
    this.#add(`> ${textOf(request)}`)
  }

  told(told: Told): void {
    const { channel, offset, data } = told
    if (channel === undefined || offset === undefined || data === undefined)
      return this.#add(`< ${textOf(told)}`)
    if (this.#run?.channel === channel && this.#run.to === offset - 1) {
      this.#run.to = offset
      this.#lines[this.#lines.length - 1] = `< ${channel}: messages ${this.#run.from} to ${offset}`
    } else {
      this.#add(`< ${channel}: message ${offset}, which is number ${data.n}`)
      this.#run = { channel, from: offset, to: offset }
    }
  }

  ended(code: number, reason: string): void {
    this.#add(`* closed with ${code} ${reason}`)
  }

  /** The last lines. */
  get end(): string {
    return this.#lines.slice(-SHOWN).join('\n  ')
  }

  #add(line: string): void {
    this.#run = null
    this.#lines.push(line)
  }
}

const SHOWN = 60

function textOf(message: object): string {
  return JSON.stringify(message).replaceAll(/x{20,}/g, 'x...')
}
