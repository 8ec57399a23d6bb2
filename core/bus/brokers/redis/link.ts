export type RedisText = string | Buffer

export interface LinkListener {
  /** All connections work, and all subscriptions are in force. */
  onUp(): void
  /** Something is lost. */
  onDown(reason: string): void
  /** A part of it was lost and is back: some of what was subscribed to may have been missed. */
  onDoubt(): void
}

/** The connections to one Redis, whatever it is made of. */
export interface RedisLink {
  /** Whether it has slots: then channels are published to the node of their slot only. */
  readonly isCluster: boolean
  connect(listener: LinkListener): Promise<void>
  /** @param key says which node it is for */
  run(key: string, args: readonly RedisText[]): Promise<unknown>
  /** The same, with bytes instead of strings in the answer. */
  runForBytes(key: string, args: readonly RedisText[]): Promise<unknown>
  load(library: string): Promise<void>
  /** The answer of INFO server. */
  info(): Promise<string>
  subscribe(channels: readonly string[], listener: (message: Buffer, channel: Buffer) => void): Promise<void>
  unsubscribe(channels: readonly string[]): Promise<void>
  /** To everybody, whatever node they are at. */
  subscribeGlobal(channel: string, listener: (message: Buffer) => void): Promise<void>
  publishGlobal(channel: string, message: Buffer): Promise<number | null>
  /** Settles when all that messages go to have answered. */
  ping(): Promise<void>
  destroy(): void
}
