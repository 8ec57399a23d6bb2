import type { Client, Position } from 'scherzo/client'
import type { Channels } from '../channels.ts'
import type { Chat } from './chat.ts'
import { count, element, make, time } from './elements.ts'
import type { Network } from './network.ts'

/** Lines of it that stay. */
const KEPT = 30

type Name = keyof Channels

/** What became of a channel while there was no connection. */
interface Gap {
  readonly position: Position
  /** What can't be had any more, or was left out. */
  missing: number
}

/** The state of the connection, and a line for whatever happens to it. */
export class Journal {
  readonly #client: Client<Channels>
  readonly #network: Network
  readonly #positions: () => ReadonlyMap<Name, Position>
  readonly #chat: Chat
  /** By channel; empty while there is a connection and nothing is to be caught up with. */
  #gaps = new Map<string, Gap>()
  #lostAt: number | null = null
  /** What the server said before it closed. */
  #farewell: string | null = null

  /** @param positions where the page is in its channels */
  constructor(
    client: Client<Channels>,
    network: Network,
    positions: () => ReadonlyMap<Name, Position>,
    chat: Chat
  ) {
    this.#client = client
    this.#network = network
    this.#positions = positions
    this.#chat = chat
  }

  begin(): void {
    const client = this.#client
    client.on('state', () => this.#change())
    client.on('drain', () => {
      this.#farewell = 'The server has said that it goes: it stops, or takes new code.'
    })
    client.on('lost', ({ channel, from, to, epoch, since }) => {
      // Of a server that has started anew tells the line that says what was recovered.
      if (epoch !== since.epoch) return
      this.#miss(channel, to - from + 1)
      this.#write(
        `Lost of ${channel}: ${count(to - from + 1, 'message')}, #${from} to #${to}, can’t be had any more.`
      )
    })
    client.on('skipped', ({ channel, count: number }) => {
      this.#miss(channel, number)
      this.#write(`${channel}: ${count(number, 'message')} left out, because later ones replace them.`)
    })
    client.on('ended', ({ channel, error }) => this.#write(`${channel}: ${error.message}`))
    client.on('error', (error) => {
      if (!this.#network.isOff) this.#write(error.message)
    })
    setInterval(() => this.#showState(), 250)
    this.#showState()
  }

  #change(): void {
    this.#showState()
    if (this.#client.state === 'open') void this.#open()
    else if (this.#lostAt === null && this.#client.state === 'waiting') this.#lose()
  }

  #lose(): void {
    this.#lostAt = Date.now()
    this.#gaps = new Map([...this.#positions()].map(([name, position]) => [name, { position, missing: 0 }]))
    this.#write(this.#network.reason ?? this.#farewell ?? 'The connection is lost.')
    this.#farewell = null
  }

  async #open(): Promise<void> {
    const lostAt = this.#lostAt
    this.#lostAt = null
    if (lostAt === null) return this.#write('Connected.')
    const seconds = ((Date.now() - lostAt) / 1000).toFixed(1)
    // An offset that was asked for at once might be from before they were published.
    const { waiting } = this.#chat
    const own = waiting > 0 ? ` ${count(waiting, 'message')} that waited here went out.` : ''
    const gaps = [...this.#gaps]
    await this.#chat.settled()
    if (this.#lostAt !== null) return
    const ends = await Promise.all(gaps.map(([name]) => this.#client.history(name as Name, { limit: 1 })))
    const isAnew = gaps.some(([, { position }], index) => ends[index]!.epoch !== position.epoch)
    const numbers = gaps.map(([name, { position, missing }], index) => {
      const { offset } = ends[index]!
      return isAnew ? offset : offset - position.offset - missing - (name === 'chat' ? waiting : 0)
    })
    const sum = numbers.reduce((sum, number) => sum + number, 0)
    const each = gaps.map(([name], index) => `${name} ${numbers[index]}`).join(', ')
    const found = isAnew
      ? `The server has started anew, and counts from 1 again: ${each}.`
      : `Recovered ${count(sum, 'message')}${sum > 0 ? `: ${each}` : ''}.`
    this.#write(`Back after ${seconds} s. ${found}${own}`)
  }

  #miss(channel: string, number: number): void {
    const gap = this.#gaps.get(channel)
    if (gap !== undefined) gap.missing += number
  }

  #showState(): void {
    const { state, retryAt } = this.#client
    const badge = element('state')
    document.body.dataset['state'] = state
    badge.textContent = this.#network.isOff ? 'offline' : nameOf(state, retryAt)
    element('positions').textContent = [...this.#positions()]
      .map(([name, { epoch, offset }]) => `${name} #${offset} of epoch ${epoch.slice(0, 8)}`)
      .join(', ')
    element('protocol').textContent =
      `${this.#network.protocol || '–'}, ${count(this.#network.frames, 'WebSocket message')}`
  }

  #write(text: string): void {
    const journal = element('journal')
    journal.prepend(make('li', '', time(Date.now()), ' ', text))
    if (journal.children.length > KEPT) journal.lastElementChild!.remove()
  }
}

function nameOf(state: Client['state'], retryAt: number | null): string {
  if (state === 'open') return 'connected'
  if (state === 'closed') return 'closed by the server'
  return retryAt === null
    ? 'connecting'
    : `trying again in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s`
}
