import type { Client, Presence, Subscription } from 'scherzo/client'
import type { ChatMessage, Channels } from '../channels.ts'
import { count, element, make, time } from './elements.ts'
import { type Visitor, randomId } from './visitor.ts'

/** As many as the server keeps. */
const KEPT = 100

interface Entry {
  readonly message: ChatMessage
  readonly line: HTMLLIElement
  /** The offset, or what there is to say until it has one. */
  readonly mark: HTMLElement
}

/** The chat: what was said, in the order of its time, who is there, and the form. */
export class Chat {
  readonly #client: Client<Channels>
  readonly #visitor: Visitor
  readonly #underWay = new Set<Promise<void>>()
  readonly #entries = new Map<string, Entry>()
  /** The same by time, as the page shows them. */
  readonly #order: Entry[] = []
  readonly #log = element<HTMLOListElement>('said')
  readonly #people = element<HTMLUListElement>('people')

  constructor(client: Client<Channels>, visitor: Visitor) {
    this.#client = client
    this.#visitor = visitor
    client.on('lost', ({ channel, epoch, since }) => {
      if (channel === 'chat' && epoch !== since.epoch) void this.#restore()
    })
    const form = element<HTMLFormElement>('chat')
    const text = element<HTMLInputElement>('text')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (text.value.trim() === '') return
      const message = {
        id: `${visitor.id}-${randomId()}`,
        name: visitor.name,
        text: text.value,
        at: Date.now()
      }
      text.value = ''
      this.#show(message, null)
      this.#send(message)
    })
  }

  /** Shows what was said before, and goes on from there. */
  async begin(): Promise<Subscription<unknown>> {
    const { epoch, offset, messages } = await this.#client.history('chat', { limit: KEPT })
    for (const { data, offset } of messages) this.#show(data, offset)
    return this.#client.subscribe('chat', (data, { offset }) => this.#show(data, offset), {
      since: { epoch, offset },
      presence: (presence) => this.#showPeople(presence)
    })
  }

  /** How many messages of this page have no answer yet. */
  get waiting(): number {
    return this.#order.filter(({ line }) => line.className === 'waiting').length
  }

  /** Settles when all that is waiting now has its answer. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  #send(message: ChatMessage): void {
    const sent = this.#publish(message).finally(() => this.#underWay.delete(sent))
    this.#underWay.add(sent)
  }

  async #publish(message: ChatMessage): Promise<void> {
    try {
      const { offset } = await this.#client.publish('chat', message, { idempotencyKey: message.id })
      this.#show(message, offset)
    } catch (error) {
      const { mark, line } = this.#entries.get(message.id)!
      line.className = 'refused'
      mark.textContent = `not sent: ${(error as Error).message}`
    }
  }

  /**
   * The server has started anew and remembers nothing, but this page does: it publishes what is missing there. So do all pages
   * that are open, and with the same keys, so that each message is published once.
   */
  async #restore(): Promise<void> {
    const { messages } = await this.#client.history('chat', { limit: KEPT })
    const known = new Set(messages.map(({ data }) => data.id))
    for (const { message, line } of this.#order)
      if (!known.has(message.id) && line.className === '') this.#send(message)
  }

  /** @param offset null until it is published */
  #show(message: ChatMessage, offset: number | null): void {
    // Whoever may publish may publish anything.
    if (typeof message?.id !== 'string' || Number.isNaN(new Date(message.at).getTime())) return
    const { line, mark } = this.#entries.get(message.id) ?? this.#add(message)
    line.className = offset === null ? 'waiting' : ''
    mark.textContent = offset === null ? 'waiting' : `#${offset}`
  }

  #add(message: ChatMessage): Entry {
    const mark = make('span', 'mark')
    const name = make('b', message.id.startsWith(this.#visitor.id) ? 'own' : '', String(message.name))
    const line = make(
      'li',
      '',
      name,
      ' ',
      make('span', 'text', String(message.text)),
      ' ',
      time(message.at),
      ' ',
      mark
    )
    const isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40
    const place = this.#order.findLastIndex((entry) => entry.message.at <= message.at) + 1
    this.#log.insertBefore(line, this.#order[place]?.line ?? null)
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight
    const entry = { message, line, mark }
    this.#entries.set(message.id, entry)
    this.#order.splice(place, 0, entry)
    if (this.#order.length > KEPT) this.#forgetFirst()
    return entry
  }

  #forgetFirst(): void {
    const { message, line } = this.#order.shift()!
    this.#entries.delete(message.id)
    line.remove()
  }

  #showPeople({ count: number, members }: Presence): void {
    element('there').textContent = `${count(number, 'visitor')} here`
    const names = [...(members ?? [])].map(([id, data]) => {
      const { name } = (data ?? {}) as { readonly name?: string }
      return make('li', '', id === this.#visitor.id ? `${name} (you)` : (name ?? 'Guest'))
    })
    this.#people.replaceChildren(...names)
  }
}
