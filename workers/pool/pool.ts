import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { MessagePort } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { reasonOf } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { RouteRow } from '../../routes/mount.ts'
import type { ThreadHub } from '../hub/thread-hub.ts'
import type { AppOptions } from '../limits.ts'
import type { Stats } from '../metrics/stats.ts'
import { LONGEST_BODY, hasBody, readBody } from './body.ts'
import { Crew } from './crew.ts'
import type { CrewListener } from './crew.ts'
import { Dispatch } from './dispatch.ts'
import type { Result, ThreadMessage } from './messages.ts'
import type { PoolThread } from './pool-worker.ts'
import { RouteFinder } from './route-finder.ts'
import type { Route } from './route-finder.ts'
import { Schedule } from './schedule.ts'
import { StuckThreads } from './stuck-threads.ts'

/** How often the threads are looked at while they work, in milliseconds. */
const INTERVAL = 5

/** What a pool is made with. */
export interface PoolContext {
  readonly app: string
  readonly settings: Settings
  readonly stats: Stats
  readonly log: Logger
  /** The number of its worker. */
  readonly worker: number
  readonly threads: number
  readonly hub: ThreadHub
}

/** The pool of one worker: its threads answer requests of the main lane, and the worker keeps the connections. */
export class Pool implements CrewListener {
  readonly #stats: Stats
  readonly #crew: Crew
  readonly #hub: ThreadHub
  readonly #schedule: Schedule<PoolThread, Dispatch>
  readonly #stuck: StuckThreads
  /** What each thread runs, by id. */
  readonly #running = new Map<PoolThread, Map<number, Dispatch>>()
  #finder: RouteFinder | null = null
  #handler: RequestListener = () => {}
  #timer: NodeJS.Timeout | null = null

  constructor({ app, settings, stats, log, worker, threads, hub }: PoolContext) {
    this.#hub = hub
    this.#stats = stats
    this.#crew = new Crew({ app, settings, worker }, threads, log, this)
    this.#stuck = new StuckThreads(settings, log, (thread) => this.#crew.beats(thread))
    this.#schedule = new Schedule(settings.poolQueue, (thread, dispatch) => this.#run(thread, dispatch))
  }

  /** Puts the pool between the server and Fastify. */
  listener(handler: RequestListener): RequestListener {
    this.#handler = handler
    return (request, response) => this.#take(request, response)
  }

  /** Has to come before the app's plugins: the pool learns their routes, and closes after them. */
  attach(fastify: FastifyInstance, options: AppOptions, bodyLimit: number): void {
    this.#finder = new RouteFinder(fastify, options, bodyLimit)
    fastify.addHook('onClose', () => this.#crew.close())
  }

  /** Starts the threads; the worker may load its own copy of the app meanwhile. */
  start(): Promise<void> {
    return this.#crew.start()
  }

  /** Once the worker's copy of the app is ready. */
  setRoutes(rows: readonly RouteRow[]): void {
    this.#finder?.build(rows)
  }

  /** Ends the threads of a worker that does not start. */
  destroy(): Promise<void> {
    return this.#crew.destroy()
  }

  /** Writes the state of the pool into the worker's statistics. */
  measure(): void {
    const stats = this.#stats
    const { threads } = this.#crew
    this.#stuck.look(threads, performance.now())
    let utilization = 0
    for (const thread of threads) utilization += thread.measureUtilization()
    stats.set('poolThreads', threads.size)
    stats.set('poolRunning', this.#schedule.running)
    stats.set('poolQueued', this.#schedule.queued)
    stats.set('poolUtilisation', threads.size === 0 ? 0 : utilization / threads.size)
    stats.set('poolHeapUsed', this.#crew.heapUsed)
  }

  onReady(thread: PoolThread): void {
    this.#running.set(thread, new Map())
    this.#schedule.add(thread, performance.now())
  }

  onLinkRequest(port: MessagePort): void {
    this.#hub.requestLink(port)
  }

  onRetire(thread: PoolThread): void {
    this.#schedule.remove(thread)
  }

  onDeath(thread: PoolThread, cause: unknown): void {
    this.#stats.count('poolThreadsDied')
    this.#schedule.remove(thread)
    const dispatches = [...(this.#running.get(thread)?.values() ?? [])]
    this.#running.delete(thread)
    for (const dispatch of dispatches) {
      this.#schedule.finish(thread, dispatch, null, performance.now())
      dispatch.fail('SCZ_ERR_POOL_THREAD', [reasonOf(cause)])
    }
  }

  onAbandoned(): void {
    for (const dispatch of this.#schedule.drain()) {
      if (dispatch.body === null) this.#handler(dispatch.request, dispatch.response as never)
      else dispatch.fail('SCZ_ERR_POOL_THREAD', ['no thread of the pool is left'])
    }
  }

  onMessage(thread: PoolThread, message: ThreadMessage): void {
    if (message.type === 'closed') return
    const dispatch = this.#running.get(thread)?.get(message.id)
    if (dispatch === undefined) return
    switch (message.type) {
      case 'information':
        return dispatch.inform(message.status, message.lines)
      case 'whole':
        dispatch.whole(message.head, message.tail)
        return this.#forget(thread, dispatch)
      case 'head':
        return dispatch.head(message.head, message.body)
      case 'data':
        return dispatch.data(message.body)
      case 'end':
        dispatch.end(message.tail)
        return this.#forget(thread, dispatch)
      case 'cut':
        dispatch.response.destroy()
        return this.#forget(thread, dispatch)
    }
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const inline = (): void => this.#handler(request, response as never)
    // A stream of HTTP/2 announces no body, and its response is of another kind.
    if (request.httpVersionMajor > 1) return inline()
    const route = this.#finder!.find(request, response)
    if (route.isInline || !this.#crew.isAble) return inline()
    if (!hasBody(request)) return this.#submit(route, request, response, null)
    const limit = Math.min(LONGEST_BODY, route.bodyLimit)
    if (Number(request.headers['content-length'] ?? 0) > limit) return inline()
    readBody(request, limit, (body) => this.#submit(route, request, response, body), inline)
  }

  #submit(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array<ArrayBuffer> | null
  ): void {
    const dispatch = new Dispatch(route, request, response, body, performance.now())
    response.once('close', () => this.#onClose(dispatch))
    if (this.#schedule.submit(dispatch, dispatch.since)) return
    this.#stats.count('poolRejected')
    dispatch.fail('SCZ_ERR_POOL_FULL', [], { 'retry-after': '1' })
  }

  #run(thread: PoolThread, dispatch: Dispatch): void {
    dispatch.thread = thread
    dispatch.id = ++thread.sent
    thread.running++
    this.#running.get(thread)!.set(dispatch.id, dispatch)
    this.#stats.count('poolRequests')
    this.#stats.countPoolWait((performance.now() - dispatch.since) / 1000)
    this.#timer ??= setInterval(() => this.#observe(), INTERVAL).unref()
    thread.run(dispatch.job()).then(
      (result) => this.#onResult(thread, dispatch, result),
      // The thread has died: that is told by itself.
      ignore
    )
  }

  #onResult(thread: PoolThread, dispatch: Dispatch, { cost, whole }: Result): void {
    this.#schedule.finish(thread, dispatch, cost, performance.now())
    if (whole !== null) {
      dispatch.whole(whole.head, whole.tail)
      this.#forget(thread, dispatch)
    }
    this.#crew.release(thread)
  }

  #forget(thread: PoolThread, dispatch: Dispatch): void {
    this.#running.get(thread)?.delete(dispatch.id)
  }

  /** A response is closed: by its end, or by its client. */
  #onClose(dispatch: Dispatch): void {
    const { thread, response } = dispatch
    if (response.writableFinished) return
    if (thread === null) return void this.#schedule.cancel(dispatch)
    if (this.#running.get(thread)?.delete(dispatch.id) === true)
      thread.order({ type: 'abort', id: dispatch.id })
  }

  #observe(): void {
    if (this.#schedule.running === 0 && this.#timer !== null) {
      clearInterval(this.#timer)
      this.#timer = null
      return
    }
    const now = performance.now()
    for (const thread of this.#crew.threads)
      this.#schedule.observe(thread, thread.idle, this.#crew.begun(thread), now)
    this.#schedule.pump(now)
  }
}

function ignore(): void {}
