import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import type { Membership, SlowPolicy, Subscriptions } from '../../core/broadcast/subscriptions.ts'
import type { Settings } from '../../core/settings.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { shakeHands } from '../../core/websocket/handshake.ts'
import { Connection } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import { Endpoint } from './endpoint.ts'
import type { Services } from './endpoint.ts'
import { SocketView } from './socket-view.ts'
import { attachForeign } from './foreign.ts'
import type { ForeignSocket } from './foreign.ts'
import { beforeUpgradeOf, readEndpointOptions } from './options.ts'
import type { HubRouteOptions } from './options.ts'
import { checkBody, refuse } from './refusals.ts'
import { Roster } from './roster.ts'
import { Upgrades } from './upgrades.ts'

/** Connections that are closed in one turn of the loop when all are. */
const CLOSED_PER_TURN = 256

/** The WebSocket routes of a worker's app, and the sockets that they have. */
export class Endpoints {
  readonly #settings: Settings
  readonly #services: Services
  readonly #upgrades: Upgrades
  readonly #bodyLimit: number
  #isClosing = false

  /** @param fastify the root instance, before its plugins and before the fast routes are mounted */
  constructor(fastify: FastifyInstance, settings: Settings, subscriptions: Subscriptions) {
    this.#settings = settings
    this.#services = {
      subscriptions,
      roster: new Roster(settings.pingInterval * 1000),
      deadlines: new Deadlines(settings.closeTimeout * 1000)
    }
    this.#upgrades = new Upgrades(fastify, this.#services.deadlines)
    this.#bodyLimit = fastify.initialConfig.bodyLimit ?? 1_048_576
    fastify.addHook('preClose', async () => {
      // The sockets have the drain's time to end: the server's own close waits for them.
      void this.closeAll(closeCodes.goingAway, 'The server is going away')
    })
    fastify.addHook('onClose', async () => this.#services.roster.stop())
  }

  /** Open WebSockets, those in their close handshake included. */
  get size(): number {
    return this.#services.roster.size
  }

  /**
   * Adds a WebSocket route to an instance: an ordinary route of Fastify, with its prefix and hooks, that answers the
   * requests it lets through with 101.
   *
   * @throws SCZ_ERR_WS_OPTION
   */
  route(fastify: FastifyInstance, path: string, given: HubRouteOptions = {}): void {
    const options = readEndpointOptions(path, given, this.#settings)
    const endpoint = new Endpoint(options, this.#services, fastify.log)
    const before = beforeUpgradeOf(given)
    this.#upgrades.listen()
    fastify.route({
      ...before,
      method: 'GET',
      url: path,
      exposeHeadRoute: false,
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
    return attachForeign(this.#services.subscriptions, ws, { ...DEFAULT_SLOW_POLICY, ...slow })
  }

  /** Closes every WebSocket, and refuses new ones from now on. Resolves when all have been sent their close frame. */
  async closeAll(code: number, reason: string): Promise<void> {
    this.#isClosing = true
    let closed = 0
    for (const connection of this.#services.roster.list()) {
      connection.close(code, reason)
      if (++closed % CLOSED_PER_TURN === 0) await nextTurn()
    }
  }

  /** The handler of a route: all hooks have let the request through. */
  #accept(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): void {
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
    if (this.#isClosing || this.size >= this.#settings.maxSockets) throw refuse(reply, 'busy')
    const channels = [...options.channelsFor(request)]

    reply.hijack()
    const socket = this.#upgrades.take(request.raw, upgrade)
    if (socket.destroyed) return
    const connection = new Connection(socket, endpoint, handshake)
    // In one write with whatever is sent on open.
    connection.outbox.send(Buffer.from(handshake.head, 'latin1'))
    const view = endpoint.hasHandlers ? new SocketView(connection, request, handshake.protocol) : null
    connection.open(view, request, channels, upgrade.head)
  }
}

/** Whether a request does not even try to open a WebSocket. */
function isPlain({ headers }: FastifyRequest): boolean {
  return headers.upgrade === undefined && headers['sec-websocket-key'] === undefined
}
