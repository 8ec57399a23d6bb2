export { serve } from './workers/serve.ts'
export type { ServeOptions } from './workers/serve-options.ts'
export type { ScherzoServer } from './workers/server.ts'
export { ScherzoError } from './core/errors.ts'
export type { ErrorCode } from './core/errors.ts'
export type { Fast, FastHandler, FastResult, JsonValue } from './routes/fast.ts'
export type { FastRequest } from './routes/fast-request.ts'
export type { FastResponse } from './routes/fast-route.ts'
export type { FastJsonOptions, FastOptions } from './routes/fast-options.ts'
export type { CorsOptions } from './routes/cors.ts'
export type { HubApi } from './routes/hub.ts'
// By a star, so that apps can add to it from the outside.
export type * from './routes/hub-channels.ts'
export type { EventsRouteOptions, HistoryRouteOptions, PublishRouteOptions } from './routes/http/options.ts'
export type { HubSocket } from './routes/websocket/hub-socket.ts'
export type { ClientLimits } from './routes/websocket/limits.ts'
export type { BatchOptions, HubRouteOptions } from './routes/websocket/options.ts'
export { jwt } from './routes/jwt/jwt.ts'
export type { JwtOptions } from './routes/jwt/options.ts'
export type { TokenSource } from './routes/jwt/token-sources.ts'
export type {
  Authenticate,
  Authorize,
  ChannelAction,
  Identity,
  TokenAuthenticator
} from './routes/websocket/identity.ts'
export type { PresenceData } from './routes/websocket/presence-data.ts'
export type { IdentityCalls } from './routes/websocket/control.ts'
export type { ForeignSocket } from './routes/websocket/foreign.ts'
export type { Membership, SlowPolicy } from './core/broadcast/subscriptions.ts'
export type { ChannelRule, HistoryRule } from './core/broadcast/channel-rules.ts'
export type { Permission } from './core/broadcast/permission.ts'
export type { HistoryMessage, HistoryOptions, HubHistory } from './core/broadcast/history-reading.ts'
export type { PresenceRule } from './core/broadcast/presence-rule.ts'
export type { HubPresence, PresentMember } from './core/broadcast/presence-reading.ts'
export type { Lost, Recovered, Since } from './core/broadcast/since.ts'
export type { HubData, HubListener, HubMessage, PublishOptions, Published } from './core/broadcast/hub.ts'
export type { RouteRow } from './routes/mount.ts'
