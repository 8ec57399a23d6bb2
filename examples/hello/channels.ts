/** What each channel of the demo carries: one interface for `fastify.hub.publish` and for the page's client. */
export interface Channels {
  chat: ChatMessage
  ticks: Tick
}

export interface ChatMessage {
  /** Given by the page that wrote it. It is the idempotency key as well: however often it is sent, it is published once. */
  readonly id: string
  readonly name: string
  readonly text: string
  /** By the clock of the page that wrote it, in milliseconds since 1970. */
  readonly at: number
}

export interface Tick {
  readonly instrument: string
  readonly price: number
}

declare module 'scherzo' {
  interface HubChannels extends Channels {}
}
