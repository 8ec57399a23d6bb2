import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { fastify as createFastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import type { Attending } from '../../../core/broadcast/attendance.ts'
import { ChannelRules } from '../../../core/broadcast/channel-rules.ts'
import { PLAIN, type Format } from '../../../core/broadcast/format.ts'
import type { Outbox } from '../../../core/broadcast/outbox.ts'
import type { HubHistory } from '../../../core/broadcast/history-reading.ts'
import type { HubPresence } from '../../../core/broadcast/presence-reading.ts'
import type { Published } from '../../../core/broadcast/hub.ts'
import type { Recovered, Since } from '../../../core/broadcast/since.ts'
import type {
  Closable,
  Membership,
  SlowPolicy,
  Subscriptions
} from '../../../core/broadcast/subscriptions.ts'
import { resolveSettings } from '../../../core/settings.ts'
import type { GivenSettings } from '../../../core/settings.ts'
import { LaneState } from '../../../workers/lane-state.ts'
import { limitsFor } from '../../../workers/limits.ts'
import { createMainLane } from '../../../workers/main-lane.ts'
import type { TlsMaterial } from '../../../workers/messages.ts'
import { Stats } from '../../../workers/metrics/stats.ts'
import { RawClient } from '../../../workers/testing/raw-client.ts'
import type { ChannelCalls } from '../../protocol/client.ts'
import { Endpoints } from '../endpoints.ts'
import type { HubRouteOptions } from '../options.ts'

export interface EndpointServer {
  readonly fastify: FastifyInstance
  readonly endpoints: Endpoints
  readonly hub: FakeHub
  readonly rules: ChannelRules
  readonly port: number
  /** Messages of what was logged as an error. */
  readonly logged: readonly string[]
  /** The server's side of the connections, the first one first. */
  readonly sockets: readonly Socket[]
}

const NOBODY_ASKS: Attending = { isAsked: () => false, enter: () => {}, show: () => {}, leave: () => {} }

/** Where everybody is in every channel. */
const HERE: Recovered = { epoch: 'e', offset: 0, count: 0, lost: null, error: null }

/** A member of the fake hub. */
export interface Member {
  readonly outbox: Outbox
  readonly policy: SlowPolicy
  readonly connection: Closable
  readonly format: Format
  readonly channels: Set<string>
  hasLeft: boolean
}

/** A hub that only remembers who is subscribed to what. */
export class FakeHub implements Subscriptions, ChannelCalls {
  readonly members: Member[] = []
  /** What becomes of what clients ask for. */
  onPublish: ChannelCalls['publish'] = async () => ({ epoch: 'e', offset: 1 })
  onHistory: ChannelCalls['history'] = async () => ({ epoch: 'e', offset: 1, messages: [], isComplete: true })

  publish(...call: Parameters<ChannelCalls['publish']>): Promise<Published> {
    return this.onPublish(...call)
  }

  async presence(): Promise<HubPresence> {
    return { count: 0, members: [] }
  }

  history(...call: Parameters<ChannelCalls['history']>): Promise<HubHistory> {
    return this.onHistory(...call)
  }

  prepare(): null {
    return null
  }

  join(outbox: Outbox, policy: SlowPolicy, connection: Closable, format: Format = PLAIN): Membership {
    const member: Member = { outbox, policy, connection, format, channels: new Set(), hasLeft: false }
    this.members.push(member)
    const subscribe = (channel: string, since?: Since | null): Promise<Recovered> | undefined => {
      member.channels.add(channel)
      return since === undefined ? undefined : Promise.resolve(HERE)
    }
    return {
      subscribe: subscribe as Membership['subscribe'],
      unsubscribe: (channel) => member.channels.delete(channel),
      get size() {
        return member.channels.size
      },
      has: (channel) => member.channels.has(channel),
      watchPresence: () => {},
      unwatchPresence: () => {},
      flush: () => {},
      leave: () => {
        member.hasLeft = true
      }
    }
  }
}

/** What an app adds to its routes. */
export type AddRoutes = (
  fastify: FastifyInstance,
  route: (instance: FastifyInstance, path: string, options?: HubRouteOptions) => void,
  endpoints: Endpoints
) => void | Promise<void>

/** Serves WebSocket routes on a worker's main lane, in this process. Ends with the test. */
export async function startEndpoints(
  context: TestContext,
  add: AddRoutes,
  given: GivenSettings = {},
  tls: TlsMaterial | null = null
): Promise<EndpointServer> {
  const settings = resolveSettings(given, {}, { spell: (name) => name, isCommand: false })
  const state = new LaneState(limitsFor(settings, {}), new Stats())
  const logged: string[] = []
  const fastify = createFastify({
    logger: { level: 'error', stream: { write: (line) => void logged.push(JSON.parse(line).msg) } },
    serverFactory: (handler) => createMainLane(handler as RequestListener, {}, state, tls)
  })
  const hub = new FakeHub()
  const rules = new ChannelRules()
  const endpoints = new Endpoints(fastify, settings, {
    subscriptions: hub,
    attendance: NOBODY_ASKS,
    calls: hub,
    rules
  })
  state.upgrades = endpoints
  await add(fastify, (instance, path, options) => endpoints.route(instance, path, options), endpoints)
  const sockets: Socket[] = []
  const server = fastify.server as Server
  server.on('connection', (socket: Socket) => sockets.push(socket))
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  context.after(async () => {
    const closed = fastify.close()
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return { fastify, endpoints, hub, rules, port, logged, sockets }
}

/** An open client of the `ws` library. */
export async function connect(
  { port }: EndpointServer,
  path: string,
  options: ClientOptions = {},
  protocols: string[] = []
): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options)
  await once(client, 'open')
  return client
}

/** A handshake as bytes. */
export function handshake(path: string, ...headers: string[]): string {
  return request(
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers
  )
}

export function request(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** An open WebSocket on which a test writes bytes as they stand. */
export async function openRaw(server: EndpointServer, path: string): Promise<RawClient> {
  const client = await RawClient.open(server.port)
  client.send(handshake(path))
  await client.receive(/\r\n\r\n/)
  return client
}

/** What came behind the head of the 101. */
export function framesOf(received: string): Buffer {
  return Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1')
}

/** The next messages of a client: strings where they came as text. */
export function messages(client: WebSocket, count: number): Promise<(string | Buffer)[]> {
  const received: (string | Buffer)[] = []
  return new Promise((resolve, reject) => {
    client.on('close', (code) => reject(new Error(`closed with ${code} after ${received.length} messages`)))
    client.on('message', (data: Buffer, isBinary) => {
      received.push(isBinary ? data : data.toString())
      if (received.length === count) resolve(received)
    })
  })
}

/** How a client's connection ends. */
export async function closeOf(client: WebSocket): Promise<{ code: number; reason: string }> {
  // The server does not read what it refuses, so the client's write may fail.
  client.on('error', () => {})
  const [code, reason] = await once(client, 'close')
  return { code, reason: String(reason) }
}

/** Waits until the server has closed its side of a connection, too. */
export async function closedOnServer({ sockets }: EndpointServer, index = 0): Promise<void> {
  const socket = sockets[index]!
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  // A socket says that it is closed before it tells its listeners.
  await new Promise((resolve) => setImmediate(resolve))
}
