import type { FastifyInstance } from 'fastify'
import type { Membership, SlowPolicy } from '../core/broadcast/subscriptions.ts'
import type { ChannelRule } from '../core/broadcast/channel-rules.ts'
import type { HistoryOptions, HubHistory } from '../core/broadcast/history-reading.ts'
import type { HubData, HubListener, PublishOptions, Published } from '../core/broadcast/hub.ts'
import type { HubPresence } from '../core/broadcast/presence-reading.ts'
import type { HubChannelData, HubChannelName } from './hub-channels.ts'
import type { EventsRouteOptions, HistoryRouteOptions, PublishRouteOptions } from './http/options.ts'
import type { IdentityCalls } from './websocket/control.ts'
import type { ForeignSocket } from './websocket/foreign.ts'
import type { HubRouteOptions } from './websocket/options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Messages to WebSockets and to listeners on every thread. */
    readonly hub: HubApi
  }
}

/** What all threads can do: publish, listen on the server, and reach the sockets of an identity. */
export interface Publishing extends IdentityCalls {
  /**
   * Publishes to all that have subscribed to the channel, on every thread. Resolves when the order of the message among those
   * of the channel is settled; offsets count from 1 on, without holes.
   *
   * @param channel any, unless the app declares its own in `HubChannels`
   * @param data a value that JSON can hold, or bytes in a Uint8Array; serialised once, here
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_DATA, SCZ_ERR_HUB_MESSAGE_SIZE, SCZ_ERR_HUB_KEY, SCZ_ERR_HUB_IDEMPOTENCY_KEY, SCZ_ERR_BUS_MESSAGE_SIZE,
   *   SCZ_ERR_BUS_NAME, SCZ_ERR_BUS_OVERLOAD, SCZ_ERR_BUS_CLOSED, all by the promise
   *
   * @example
   * await fastify.hub.publish('ticks', { price: 1 })
   */
  publish<Name extends HubChannelName>(
    channel: Name,
    data: HubChannelData<Name>,
    options?: PublishOptions
  ): Promise<Published>
  /** Publishes to every connection of the hub, whatever its channels. */
  broadcast(data: HubData): Promise<Published>
  /**
   * Calls the listener for every message of the channel, on whatever thread it was published. Each copy of the app has its own
   * listeners. A listener that throws is logged and goes on.
   *
   * In a pool thread the listener makes the thread read all messages, and a handler that blocks the thread for long holds up
   * publishing everywhere once the log is full: listen in the worker where handlers take long.
   *
   * @returns ends that
   * @throws SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string, listener: HubListener): () => void
  /**
   * How many connections each channel has, on all workers together. A worker that does not answer within a second is left out.
   *
   * @throws SCZ_ERR_CLOSED
   */
  channels(): Promise<Map<string, number>>
  /**
   * What a channel had before, as far as its rule lets it be kept.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_SINCE, SCZ_ERR_HUB_LIMIT, SCZ_ERR_HUB_OFFSET, SCZ_ERR_CLOSED, all by the promise
   *
   * @example
   * const { epoch, offset, messages } = await fastify.hub.history('ticks', { limit: 100 })
   */
  history(channel: string, options?: HistoryOptions): Promise<HubHistory>
  /**
   * Who is in a channel whose rule has presence, on all workers: the identities with a socket that is subscribed to it.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE, SCZ_ERR_CLOSED, all by the promise
   *
   * @example
   * const { count, members } = await fastify.hub.presence('room:1') // members: [{ id: 'ada' }], or null where there are too many
   */
  presence(channel: string): Promise<HubPresence>
}

/** What `fastify.hub` is. */
export interface HubApi extends Publishing {
  /**
   * Sets what holds for the channel of this name or, with stars, for all whose names match: in `room:*` the star stands for one
   * segment between colons, and is not empty. Of several that match, the one that has a name where the others have a star, at the
   * first difference from the left, is the only one that holds. All copies of an app set the same rules; a later one for the same
   * pattern replaces the earlier, on all threads, and stays until then. Functions hold in the thread that set them.
   *
   * @throws SCZ_ERR_HUB_RULE
   *
   * @example
   * fastify.hub.channel('room:*', {
   *   history: { size: 100, age: 600 }, // seconds
   *   presence: true,
   *   subscribe: 'identified',
   *   publish: (identity, channel) => rooms.has(channel, identity?.id)
   * })
   */
  channel(pattern: string, rule: ChannelRule): void
  /**
   * Adds a WebSocket route: an ordinary route of Fastify, with its prefix and hooks, that answers what these let through with 101.
   *
   * @throws SCZ_ERR_WS_OPTION
   *
   * @example
   * fastify.hub.route('/live', { channels: ['ticks'] }) // every socket is subscribed on connect
   * fastify.hub.route('/echo', { onMessage: (socket, data, isBinary) => socket.send(data, isBinary) })
   */
  route(path: string, options?: HubRouteOptions): void
  /**
   * Adds a route to publish by POST, for programs in other languages; see docs/HTTP.md.
   *
   * @throws SCZ_ERR_HTTP_OPTION
   *
   * @example
   * fastify.hub.publishRoute('/publish', { authenticate: jwt({ secret, from: ['header'] }) })
   */
  publishRoute(path: string, options: PublishRouteOptions): void
  /**
   * Adds a route to read the past of a channel by GET, from a path with `:channel`; see docs/HTTP.md.
   *
   * @throws SCZ_ERR_HTTP_OPTION
   *
   * @example
   * fastify.hub.historyRoute('/history/:channel', { authenticate: jwt({ secret, from: ['header'] }) })
   */
  historyRoute(path: string, options: HistoryRouteOptions): void
  /**
   * Adds a route that tells the messages of channels as server-sent events, for `EventSource` and whoever reads lines; see
   * docs/HTTP.md.
   *
   * @throws SCZ_ERR_HTTP_OPTION
   *
   * @example
   * fastify.hub.eventsRoute('/events/:channel', { authenticate: jwt({ secret, from: [{ cookie: 'sid' }] }) })
   */
  eventsRoute(path: string, options: EventsRouteOptions): void
  /**
   * Subscribes a socket that `@fastify/websocket` has accepted, until it closes. What the hub sends stands between the socket's
   * own messages, in the order of the calls, as long as the socket does not compress these.
   *
   * @returns its subscriptions, or null if the socket is not open any more
   * @throws SCZ_ERR_HUB_CHANNEL
   */
  attach(socket: ForeignSocket, channels: readonly string[], slow?: Partial<SlowPolicy>): Membership | null
}

/**
 * Gives a root instance, before its plugins, `fastify.hub`.
 *
 * @param endpoints makes what depends on the instance that it is used on, once for each
 */
export function mountHub(
  fastify: FastifyInstance,
  publishing: Publishing,
  endpoints: (instance: FastifyInstance) => Omit<HubApi, keyof Publishing>
): void {
  const apis = new WeakMap<FastifyInstance, HubApi>()
  fastify.decorate('hub', {
    getter(this: FastifyInstance): HubApi {
      const known = apis.get(this)
      if (known !== undefined) return known
      const api: HubApi = { ...publishing, ...endpoints(this) }
      apis.set(this, api)
      return api
    }
  })
}
