import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Format } from '../../core/broadcast/format.ts'
import type { Pace } from '../../core/broadcast/pace.ts'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import type { Membership, SlowPolicy } from '../../core/broadcast/subscriptions.ts'
import type { Settings } from '../../core/settings.ts'
import { shakeHands } from '../../core/websocket/handshake.ts'
import type { AcceptedHandshake } from '../../core/websocket/handshake.ts'
import type { Reconnect } from '../protocol/notices.ts'
import { Connection } from './connection.ts'
import { firstForbidden, identify } from './admission.ts'
import { paceFor } from './asked-pace.ts'
import type { Control } from './control.ts'
import { Deadlines } from './deadlines.ts'
import { Endpoint } from './endpoint.ts'
import type { Services } from './endpoint.ts'
import { Expiries } from './expiries.ts'
import { Identities } from './identities.ts'
import type { Identity } from './identity.ts'
import { SocketView } from './socket-view.ts'
import { attachForeign } from './foreign.ts'
import type { ForeignSocket } from './foreign.ts'
import { beforeUpgradeOf, readEndpointOptions } from './options.ts'
import type { EndpointOptions, HubRouteOptions } from './options.ts'
import { checkBody, refuse, refuseIdentity } from './refusals.ts'
import { withoutQuery } from './request-log.ts'
import { Room } from './room.ts'
import { Roster } from './roster.ts'
import { Tally } from './tally.ts'
import { Upgrades } from './upgrades.ts'
import type { Upgrade } from './upgrades.ts'

/** Connections that are closed in one turn of the loop when all are. */
const CLOSED_PER_TURN = 256

/** The WebSocket routes of a worker's app, and the sockets that they have. */
export class Endpoints {
  readonly #settings: Settings
  /** Whether there is any for one more connection. */
  readonly room: Room
  readonly services: Services
  readonly #upgrades: Upgrades
  readonly #bodyLimit: number
  /** What clients are told when the worker closes their sockets. */
  reconnect: Reconnect = 'later'

  /**
   * @param fastify the root instance, before its plugins and before the fast routes are mounted
   * @param hub what sockets have of it
   */
  constructor(
    fastify: FastifyInstance,
    settings: Settings,
    hub: Pick<Services, 'subscriptions' | 'attendance' | 'calls' | 'rules'>
  ) {
    this.#settings = settings
    this.services = {
      ...hub,
      roster: new Roster(settings.pingInterval * 1000),
      deadlines: new Deadlines(settings.closeTimeout * 1000),
      identities: new Identities(),
      expiries: new Expiries(),
      addresses: new Tally()
    }
    this.room = new Room(settings, this.services)
    this.#upgrades = new Upgrades(fastify, this.services.deadlines)
    this.#bodyLimit = fastify.initialConfig.bodyLimit ?? 1_048_576
    fastify.addHook('preClose', async () => {
      // The sockets have the drain's time to end: the server's own close waits for them.
      void this.closeAll()
    })
    fastify.addHook('onClose', async () => {
      this.services.roster.stop()
      this.services.expiries.stop()
    })
  }

  /** Open WebSockets, those in their close handshake included. */
  get size(): number {
    return this.services.roster.size
  }

  /**
   * Adds a WebSocket route to an instance: an ordinary route of Fastify, with its prefix and hooks, that answers the
   * requests it lets through with 101.
   *
   * @throws SCZ_ERR_WS_OPTION
   */
  route(fastify: FastifyInstance, path: string, given: HubRouteOptions = {}): void {
    const options = readEndpointOptions(path, given, this.#settings)
    const endpoint = new Endpoint(options, this.services, fastify.log)
    const before = beforeUpgradeOf(given)
    this.#upgrades.listen()
    fastify.route({
      ...before,
      method: 'GET',
      url: path,
      exposeHeadRoute: false,
      // The query may have a token.
      ...(options.authenticate !== null && { logSerializers: { req: withoutQuery } }),
      // The socket is in the worker, never in its pool.
      config: this.#upgrades.mark({ ...before.config, inline: true }),
      handler: (request, reply) => this.#accept(endpoint, request, reply)
    })
  }

  /** Whether a request may leave HTTP: where nobody else listens for upgrades, only to become a WebSocket. */
  shouldUpgrade(request: IncomingMessage): boolean {
    return this.#upgrades.shouldUpgrade(request)
  }

  /** What the server's 'upgrade' event goes through before its other listeners; `passOn` calls those. */
  handleUpgrade(request: IncomingMessage, head: Buffer, passOn: () => void): void {
    this.#upgrades.handle(request, head, passOn)
  }

  /** Lets a socket of the `ws` library join the hub; null where it is not open. */
  attachForeign(ws: ForeignSocket, slow: Partial<SlowPolicy> = {}): Membership | null {
    return attachForeign(this.services.subscriptions, ws, { ...DEFAULT_SLOW_POLICY, ...slow })
  }

  /**
   * Acts on the sockets that an identity has on this thread.
   *
   * @returns how many were reached
   */
  control(control: Control): number {
    return this.services.identities.apply(control)
  }

  /** Closes every WebSocket, and refuses new ones from now on. Resolves when all have been sent their close frame. */
  async closeAll(): Promise<void> {
    this.room.isClosing = true
    let closed = 0
    const connections = this.services.roster.list()
    for (const connection of connections) {
      connection.closeForDrain(this.reconnect, connections.length)
      if (++closed % CLOSED_PER_TURN === 0) await nextTurn()
    }
  }

  /** The handler of a route: all hooks have let the request through. */
  #accept(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): Promise<void> | void {
    const { options } = endpoint
    checkBody(request.raw, reply, this.#bodyLimit)
    const upgrade = this.#upgrades.of(request.raw)
    const handshake = shakeHands(request.raw, {
      chooseProtocol: options.chooseProtocol,
      origins: options.origins,
      deflate: options.compress
    })
    if (upgrade === null) throw refuse(reply, isPlain(request) ? 'plain' : handshake)
    if (!handshake.isAccepted) throw refuse(reply, handshake)
    this.room.check(request, reply)
    const format = endpoint.formatFor(handshake, askedPace(options, request, reply))
    const arrival = { endpoint, request, reply, upgrade, handshake, format }
    if (endpoint.hasIdentities) return this.#admit(arrival)
    const channels = [...options.channelsFor(request, null)]
    const coming = this.services.subscriptions.prepare(channels)
    if (coming === null) return this.#open(arrival, null, channels)
    return this.#openLater(arrival, channels, coming)
  }

  /** The worker may be full, or closing, by then. */
  async #openLater(arrival: Arrival, channels: readonly string[], coming: Promise<void>): Promise<void> {
    await this.#inTime(coming, arrival.reply)
    this.room.check(arrival.request, arrival.reply)
    this.#open(arrival, null, channels)
  }

  /** @throws SCZ_ERR_WS_BUSY where the broker is away */
  async #inTime(coming: Promise<void>, reply: FastifyReply): Promise<void> {
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), this.#settings.brokerTimeout * 1000)
    const outcome = await Promise.race([coming, late.promise])
    clearTimeout(timer)
    if (outcome === 'late') throw refuse(reply, 'busy')
  }

  /** Opens a socket to whom its route lets in. The worker may be full, or closing, by the time that is known. */
  async #admit(arrival: Arrival): Promise<void> {
    const { endpoint, request, reply } = arrival
    const { options, permissions } = endpoint
    const identity = await identify(options, request, reply)
    if (identity === null && options.authenticate !== null) {
      this.room.check(request, reply)
      return this.#open(arrival, null, null)
    }
    const channels = [...options.channelsFor(request, identity)]
    const forbidden = await firstForbidden(permissions, identity, channels)
    if (forbidden !== null) throw refuseIdentity(reply, 'SCZ_ERR_IDENTITY_FORBIDDEN')
    const coming = this.services.subscriptions.prepare(channels)
    if (coming !== null) await this.#inTime(coming, reply)
    this.room.check(request, reply)
    if (identity !== null) this.room.checkIdentity(identity, reply)
    this.#open(arrival, identity, channels)
  }

  /** @param channels null where the first message has to say who it is */
  #open(
    { endpoint, request, reply, upgrade, handshake, format }: Arrival,
    identity: Identity | null,
    channels: readonly string[] | null
  ): void {
    const address = this.room.addressOf(request)
    reply.hijack()
    const socket = this.#upgrades.take(request.raw, upgrade)
    if (socket.destroyed) return
    const connection = new Connection(socket, endpoint, handshake, {
      address,
      isAwaited: channels === null,
      format
    })
    const { standing } = connection
    // In one write with whatever is sent on open.
    connection.outbox.send(Buffer.from(handshake.head, 'latin1'))
    const view =
      standing !== null && endpoint.hasHandlers
        ? new SocketView(connection, standing, request, handshake.protocol)
        : null
    if (channels === null && standing !== null)
      return connection.awaitIdentity(view, request, standing, upgrade.head)
    if (identity !== null) standing?.settle(identity)
    connection.open(view, request, channels ?? [], upgrade.head)
  }
}

/** A request for a WebSocket that follows the protocol. */
interface Arrival {
  readonly endpoint: Endpoint
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly upgrade: Upgrade
  readonly handshake: AcceptedHandshake
  readonly format: Format
}

/** @throws SCZ_ERR_WS_BATCH */
function askedPace(options: EndpointOptions, request: FastifyRequest, reply: FastifyReply): Pace | null {
  try {
    return paceFor(options, request)
  } catch (error) {
    reply.header('connection', 'close')
    throw error
  }
}

/** Whether a request does not even try to open a WebSocket. */
function isPlain({ headers }: FastifyRequest): boolean {
  return headers.upgrade === undefined && headers['sec-websocket-key'] === undefined
}
