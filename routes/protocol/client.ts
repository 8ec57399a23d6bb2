import type { HistoryOptions, HubHistory } from '../../core/broadcast/history-reading.ts'
import type { HubData, PublishOptions, Published } from '../../core/broadcast/hub.ts'
import type { HubPresence } from '../../core/broadcast/presence-reading.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { ScherzoError } from '../../core/errors.ts'
import type { Standing } from '../websocket/standing.ts'

/** What the protocol needs of the connection of a client. */
export interface Client {
  readonly isOpen: boolean
  /** Null on routes that do not ask who connects. */
  readonly standing: Standing | null
  send(data: string, isBinary: boolean): void
  /**
   * Resolves when it is level with the live stream, or with null if that was called off before.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_SINCE, both at once
   */
  catchUp(channel: string, since: Since | null): Promise<Recovered | null>
  unsubscribe(channel: string): void
  /** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE */
  watchPresence(channel: string): void
  unwatchPresence(channel: string): void
  /** How many channels it is subscribed to, or about to be. */
  readonly channels: number
  /** Whether it is subscribed to the channel, or about to be. */
  has(channel: string): boolean
  closeFor(error: ScherzoError): void
  /** Reads on, where that was held up for the sake of requests under way. */
  resumeReading(): void
}

/** What clients can do with channels beside subscribing, if they may. */
export interface ChannelCalls {
  publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published>
  history(channel: string, options?: HistoryOptions): Promise<HubHistory>
  presence(channel: string): Promise<HubPresence>
}
