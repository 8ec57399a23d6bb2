import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import { checkChannel } from '../../core/broadcast/data.ts'
import type { Since } from '../../core/broadcast/since.ts'
import { ScherzoError } from '../../core/errors.ts'
import { lastEventId } from '../../core/http/server-sent-event.ts'
import type { Endpoints } from '../websocket/endpoints.ts'
import type { Identity } from '../websocket/identity.ts'
import { Permissions } from '../websocket/permissions.ts'
import { withoutQuery } from '../websocket/request-log.ts'
import { Callers } from './callers.ts'
import { EventConnection, drainEvent } from './event-connection.ts'
import type { EventPlace } from './event-connection.ts'
import { readPlaces } from './event-places.ts'
import { beginEvents } from './event-response.ts'
import { beforeHubOf, checkOptions } from './options.ts'
import type { EventsRouteOptions } from './options.ts'
import { refusalFor } from './request-error.ts'

/** @throws SCZ_ERR_HTTP_OPTION */
export function addEventsRoute(
  fastify: FastifyInstance,
  path: string,
  given: EventsRouteOptions,
  endpoints: Pick<Endpoints, 'room' | 'services' | 'reconnect'>
): void {
  const { room, services } = endpoints
  checkOptions(path, given, ['authenticate', 'authorize', 'channels', 'presenceData', 'slow'])
  const { authorize = null, channels: fixed } = given
  const callers = new Callers(given, services.rules)
  const permissions = new Permissions(services.rules, authorize)
  const place: EventPlace = {
    services,
    permissions,
    options: {
      presenceData: given.presenceData ?? null,
      slow: { ...DEFAULT_SLOW_POLICY, ...given.slow },
      tokens: null
    },
    log: fastify.log
  }

  const channelsFor = (request: FastifyRequest, identity: Identity | null): readonly string[] => {
    if (fixed === undefined) return checkChannels(askedChannels(request))
    return checkChannels(typeof fixed === 'function' ? fixed(request, identity) : fixed)
  }

  /** What the app chose is allowed unless somebody says no; what the client asks for, only if somebody says yes. */
  const may = (identity: Identity | null, channel: string): boolean | Promise<boolean> =>
    fixed === undefined
      ? permissions.mayClient(identity, channel, 'subscribe')
      : permissions.mayApp(identity, channel, 'subscribe')

  const open = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const identity = callers.identityOf(request)
    const channels = channelsFor(request, identity)
    const places = placesOf(request, channels)
    for (const channel of channels) {
      if (!(await may(identity, channel))) throw new ScherzoError('SCZ_ERR_HTTP_FORBIDDEN', ['read', channel])
    }
    // A browser that is refused does not come back by itself.
    if (!room.isClosing) {
      room.check(request, reply)
      if (identity !== null) room.checkIdentity(identity, reply)
    }
    const beginning = beginEvents(reply)
    const begun = beginning instanceof Promise ? await beginning : beginning
    if (begun === null) return
    const { response, sink } = begun
    if (room.isClosing) {
      sink.write(drainEvent(endpoints.reconnect, services.roster.size))
      response.end()
      return
    }
    if (beginning instanceof Promise && !room.isFor(request, identity)) {
      response.end()
      return
    }
    const connection = new EventConnection(response, sink, place, channels, room.addressOf(request))
    connection.open(identity, channels, places)
  }

  const before = beforeHubOf(given)
  fastify.route({
    ...before,
    method: 'GET',
    url: path,
    exposeHeadRoute: false,
    ...(given.authenticate !== 'none' && { logSerializers: { req: withoutQuery } }),
    // The connection is in the worker, never in its pool.
    config: { ...before.config, inline: true },
    preParsing: (request, reply) => callers.admit(request, reply),
    handler: async (request, reply) => {
      try {
        await open(request, reply)
      } catch (error) {
        throw refusalFor(error, reply)
      }
    }
  })
}

/** What one stream may have: their names stand in the id of every event, which comes back in a header. */
const MAX_CHANNELS = 32
const MAX_NAMES = 4096

/** From the path, or `?channel=` once or several times. */
function askedChannels(request: FastifyRequest): readonly string[] {
  const { channel, '*': rest } = request.params as Readonly<Record<string, string | undefined>>
  const inPath = channel ?? rest
  if (inPath !== undefined) return [inPath]
  const { channel: asked = [] } = request.query as { readonly channel?: string | readonly string[] }
  return [asked].flat()
}

/** @throws SCZ_ERR_HTTP_CHANNELS, SCZ_ERR_HUB_CHANNEL */
function checkChannels(given: readonly string[]): readonly string[] {
  const channels = [...new Set(given)]
  for (const channel of channels) checkChannel(channel)
  if (channels.length === 0) throw new ScherzoError('SCZ_ERR_HTTP_CHANNELS', ['name one with ?channel='])
  if (channels.length > MAX_CHANNELS)
    throw new ScherzoError('SCZ_ERR_HTTP_CHANNELS', [`a stream has up to ${MAX_CHANNELS}`])
  if (channels.length > 1 && channels.map(encodeURIComponent).join('').length > MAX_NAMES)
    throw new ScherzoError('SCZ_ERR_HTTP_CHANNELS', [
      `their names have up to ${MAX_NAMES} characters together`
    ])
  return channels
}

/** @throws SCZ_ERR_HTTP_LAST_EVENT_ID, SCZ_ERR_HTTP_QUERY */
function placesOf(
  { headers, query }: FastifyRequest,
  channels: readonly string[]
): ReadonlyMap<string, Since> {
  // A browser that reconnects asks for the same URL, so the header is the newer one.
  const id = lastEventId(headers['last-event-id'])
  if (id !== null) {
    const places = readPlaces(id, channels)
    if (places === null) throw new ScherzoError('SCZ_ERR_HTTP_LAST_EVENT_ID')
    return places
  }
  const { since } = query as { readonly since?: unknown }
  if (since === undefined) return new Map()
  const places = typeof since === 'string' ? readPlaces(since, channels) : null
  if (places === null) throw new ScherzoError('SCZ_ERR_HTTP_QUERY', ['since', 'the id of an event'])
  return places
}
