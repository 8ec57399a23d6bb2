import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import type { Deadlines } from './deadlines.ts'

const isHubRoute = Symbol('scherzo.hubRoute')

interface HubConfig extends FastifyContextConfig {
  [isHubRoute]?: true
}

/** A request that asks to leave HTTP, while Fastify decides about it. */
export interface Upgrade {
  readonly socket: Socket
  /** What came behind the request's head. */
  readonly head: Buffer
  readonly response: ServerResponse
  /** What Node does for the response of an ordinary request when its socket has room again. */
  readonly onDrain: () => void
  /** As it came: an app may rewrite it. */
  readonly url: string | undefined
  /** Gives it to the other listeners, or null where there are none. */
  readonly passOn: (() => void) | null
}

/**
 * Takes requests for an upgrade through Fastify's router and hooks, with a response that can refuse them, as any other
 * request. Those for routes of others, such as @fastify/websocket's, are passed on before any hook of the app has run.
 */
export class Upgrades {
  readonly #fastify: FastifyInstance
  readonly #deadlines: Deadlines
  readonly #open: WeakMap<IncomingMessage, Upgrade> = new WeakMap()
  #isListening = false

  constructor(fastify: FastifyInstance, deadlines: Deadlines) {
    this.#fastify = fastify
    this.#deadlines = deadlines
    // The first hook of all. It knows the route, whatever way the app chose for its router to find it.
    fastify.addHook('onRequest', (request, reply, done) => {
      if (!this.#isListening) return done()
      const upgrade = this.#open.get(request.raw)
      if (upgrade === undefined || upgrade.passOn === null || isMarked(request.routeOptions.config))
        return done()
      // Nothing may answer here any more, not even a time-out.
      reply.hijack()
      this.take(request.raw, upgrade)
      if (upgrade.url !== undefined) request.raw.url = upgrade.url
      upgrade.passOn()
    })
  }

  /** Marks the route that it belongs to as one of ours. */
  mark(config: FastifyContextConfig): FastifyContextConfig {
    const marked: HubConfig = { ...config, [isHubRoute]: true }
    return marked
  }

  /** Lets Node report upgrades; it takes them for ordinary requests while nobody listens. */
  listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    this.#fastify.server.on('upgrade', () => {})
  }

  shouldUpgrade({ headers }: IncomingMessage): boolean {
    return this.#hasOthers() || (this.#isListening && /\bwebsocket\b/i.test(headers.upgrade ?? ''))
  }

  handle(request: IncomingMessage, head: Buffer, passOn: () => void): void {
    if (!this.#isListening) return passOn()
    // Not the one of the event: where the request has a body, that is a stream for what comes behind it.
    const { socket } = request
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    const onDrain = (): unknown => response.emit('drain')
    const upgrade = {
      socket,
      head,
      response,
      onDrain,
      url: request.url,
      passOn: this.#hasOthers() ? passOn : null
    }
    this.#open.set(request, upgrade)
    socket.setTimeout(0)
    // Node has let go of the socket.
    socket.on('error', ignore).on('drain', onDrain)
    response.assignSocket(socket)
    response.on('finish', () => this.#endRefused(socket))
    this.#fastify.routing(request, response)
  }

  /** Null for an ordinary request. */
  of(request: IncomingMessage): Upgrade | null {
    return this.#open.get(request) ?? null
  }

  /** Gives the socket back as it came: the response can't be sent any more. */
  take(request: IncomingMessage, { socket, response, onDrain }: Upgrade): Socket {
    this.#open.delete(request)
    response.detachSocket(socket)
    socket.off('error', ignore).off('drain', onDrain)
    return socket
  }

  #hasOthers(): boolean {
    return this.#fastify.server.listenerCount('upgrade') > (this.#isListening ? 1 : 0)
  }

  /** What the client has sent behind its request is thrown away: closing over it would lose it the answer. */
  #endRefused(socket: Socket): void {
    const refused = { cut: () => socket.destroy() }
    this.#deadlines.add(refused)
    socket.once('close', () => this.#deadlines.delete(refused))
    socket.once('end', () => socket.destroySoon())
    socket.end()
    socket.resume()
  }
}

function isMarked(config: FastifyContextConfig): boolean {
  return (config as HubConfig)[isHubRoute] === true
}

function ignore(): void {}
