export { Client, connect } from './client.ts'
export { ClientError } from './errors.ts'
export type { ClientErrorCode } from './errors.ts'
export type {
  AnyChannels,
  ChannelData,
  ChannelMessage,
  ChannelName,
  History,
  HistoryOptions,
  PastMessage,
  Position,
  PublishOptions,
  Publishable,
  Published
} from './contract.ts'
export type { ClientEvents, ClientState, LostEvent, SkippedEvent } from './events.ts'
export type { ClientOptions, SocketLike, Source, SubscribeOptions, WebSocketClass } from './options.ts'
export type { Presence } from './presence.ts'
export type { Subscription } from './subscription.ts'
