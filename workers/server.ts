import { availableParallelism } from 'node:os'
import type { Logger } from 'pino'
import type { HistoryOptions, HubHistory } from '../core/broadcast/history-reading.ts'
import type { ChannelTraffic } from '../core/broadcast/channel-traffic.ts'
import type { HubPresence } from '../core/broadcast/presence-reading.ts'
import type { HubData, HubListener, PublishOptions, Published } from '../core/broadcast/hub.ts'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import type { Runtime, Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import { identityCalls } from '../routes/websocket/control.ts'
import type { IdentityCalls } from '../routes/websocket/control.ts'
import { hostAndPort } from './address.ts'
import { startAdmin } from './admin/admin.ts'
import type { AdminServer } from './admin/admin.ts'
import type { Stats } from './metrics/stats.ts'
import type { WorkerPlan } from './plan.ts'
import type { BrokerView, ServerState, ServerView, WorkerView } from './server-view.ts'
import type { SlotTask } from './slot.ts'
import { Supervisor } from './supervisor.ts'
import { readTls } from './tls.ts'
import { WatchedFiles } from './watched-files.ts'
import type { Loaded } from './worker-thread.ts'

/** A running server. */
export interface ScherzoServer extends IdentityCalls {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly address: string
  /** Where the admin server listens, or null without one. */
  readonly adminAddress: string | null
  /** How many worker threads serve. */
  readonly workers: number
  /** The app's routes and the lanes they are answered on. */
  readonly routes: readonly RouteRow[]
  /** What a person should know about the start, such as fewer workers than asked for. */
  readonly notices: readonly string[]
  /**
   * Settles when the server has ended: with SCZ_ERR_WORKERS_GONE if no worker came up any more, which, like any rejection
   * that nobody handles, ends the process.
   */
  readonly closed: Promise<void>
  /**
   * Publishes to all that have subscribed to the channel, on every worker; see `fastify.hub.publish`.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_DATA, SCZ_ERR_BUS_MESSAGE_SIZE, SCZ_ERR_BUS_NAME, SCZ_ERR_BUS_OVERLOAD,
   *   SCZ_ERR_BUS_CLOSED, all by the promise
   */
  publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published>
  /** Publishes to every connection of the hub. */
  broadcast(data: HubData): Promise<Published>
  /**
   * Calls the listener for every message of the channel, in this thread. Until it is called for the first time the thread
   * reads no messages, so that listener gets what is published from a moment later on.
   *
   * @returns ends that
   * @throws SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string, listener: HubListener): () => void
  /** How many connections each channel has, on all workers together. */
  channels(): Promise<Map<string, number>>
  /** What a channel had before; see `fastify.hub.history`. */
  history(channel: string, options?: HistoryOptions): Promise<HubHistory>
  /** Who is in a channel; see `fastify.hub.presence`. */
  presence(channel: string): Promise<HubPresence>
  /**
   * Replaces the workers one after another, each new one listening before the old one stops; the app's files and those for
   * TLS are read again. Resolves when the old workers have finished.
   *
   * @throws SCZ_ERR_RELOAD if a new worker can't start, and the old ones stay; SCZ_ERR_CLOSED
   */
  reload(): Promise<void>
  /**
   * Stops accepting, lets open requests finish and the app's close hooks run, and ends the workers.
   *
   * @throws SCZ_ERR_WORKER_EXIT, SCZ_ERR_WORKER_ERROR if the app failed to close; nothing is left running then
   */
  close(): Promise<void>
}

/** What belongs to a server beside its workers: the admin server, reloads and the watch over its files. */
export class Server implements ScherzoServer, ServerView {
  readonly address: string
  readonly app: string
  readonly startedAt: number = Date.now()
  readonly cores: number = availableParallelism()
  readonly notices: readonly string[]
  readonly closed: Promise<void>
  readonly #plan: WorkerPlan
  readonly #log: Logger
  readonly #supervisor: Supervisor
  readonly #identities: IdentityCalls
  #task: SlotTask
  #loaded: Loaded = { routes: [], files: [] }
  #admin: AdminServer | null = null
  #watched: WatchedFiles | null = null
  #openReloads = 0
  state: ServerState = 'starting'
  reloads = 0

  constructor(task: SlotTask, plan: WorkerPlan, address: string, log: Logger) {
    this.address = address
    this.app = task.app
    this.notices = plan.notice === null ? [] : [plan.notice]
    this.#task = task
    this.#plan = plan
    this.#log = log
    this.#identities = identityCalls((control) => task.hub.control(control))
    this.#supervisor = new Supervisor(plan.workers, task, log)
    this.closed = this.#supervisor.closed.finally(() => this.#closeBesides())
  }

  /** @throws what `serve()` throws; nothing is left running then */
  async start(): Promise<void> {
    const { admin, watch } = this.settings
    try {
      // First of all, so that a probe sees a server that is not ready yet.
      if (admin !== null) this.#admin = await startAdmin(admin, this, this.#log)
      await this.#task.hub.open((level, message) => this.#log[level](message))
      this.#loaded = await this.#supervisor.start()
    } catch (error) {
      await this.#closeBesides()
      throw error
    }
    this.state = 'ready'
    if (watch) this.#watched = new WatchedFiles(this.#loaded.files, () => void this.#reloadChanged())
  }

  get settings(): Settings {
    return this.#task.settings
  }

  get runtime(): Runtime {
    return this.settings.runtime
  }

  get adminAddress(): string | null {
    return this.#admin === null ? null : `http://${hostAndPort(this.#admin.host, this.#admin.port)}`
  }

  get workers(): number {
    return this.#plan.workers
  }

  /** Threads in the pools of all workers; 0 where handlers run on the workers' own loops. */
  get poolThreads(): number {
    return this.#plan.workers * this.#plan.poolThreads
  }

  get routes(): readonly RouteRow[] {
    return this.#loaded.routes
  }

  get threads(): readonly WorkerView[] {
    return this.#supervisor.threads
  }

  get retired(): Stats {
    return this.#supervisor.retired
  }

  get traffic(): readonly ChannelTraffic[] {
    return this.#task.hub.traffic
  }

  get published(): number {
    return this.#task.hub.published
  }

  get present(): number {
    return this.#task.hub.present
  }

  get presenceTold(): number {
    return this.#task.hub.presenceTold
  }

  get broker(): BrokerView | null {
    return this.#task.hub.broker
  }

  publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published> {
    return this.#task.hub.hub.publish(channel, data, options)
  }

  broadcast(data: HubData): Promise<Published> {
    return this.#task.hub.hub.broadcast(data)
  }

  subscribe(channel: string, listener: HubListener): () => void {
    return this.#task.hub.hub.subscribe(channel, listener)
  }

  channels(): Promise<Map<string, number>> {
    return this.#task.hub.channels()
  }

  offsetOf(channel: string): number {
    return this.#task.hub.offsetOf(channel)
  }

  history(channel: string, options?: HistoryOptions): Promise<HubHistory> {
    return this.#task.hub.hub.history(channel, options)
  }

  presence(channel: string): Promise<HubPresence> {
    return this.#task.hub.hub.presence(channel)
  }

  disconnect(identityId: string, code?: number, reason?: string): Promise<number> {
    return this.#identities.disconnect(identityId, code, reason)
  }

  unsubscribe(identityId: string, channel: string): Promise<number> {
    return this.#identities.unsubscribe(identityId, channel)
  }

  sendTo(identityId: string, data: HubData): Promise<number> {
    return this.#identities.sendTo(identityId, data)
  }

  async reload(): Promise<void> {
    if (this.state === 'draining') throw new ScherzoError('SCZ_ERR_CLOSED', ['reload'])
    const start = Date.now()
    this.state = 'reloading'
    this.#openReloads++
    try {
      this.#task = { ...this.#task, tls: await readTls(this.settings) }
      this.#loaded = await this.#supervisor.reload(this.#task)
    } catch (error) {
      if (error instanceof ScherzoError && error.code === 'SCZ_ERR_CLOSED') throw error
      throw new ScherzoError('SCZ_ERR_RELOAD', [reasonOf(error)], { cause: error })
    } finally {
      this.#openReloads--
      if (!this.#isDraining() && this.#openReloads === 0) this.state = 'ready'
    }
    this.reloads++
    this.#watched?.watch(this.#loaded.files)
    this.#log.info(`Reloaded ${this.#plan.workers} workers in ${Date.now() - start} ms`)
  }

  async close(): Promise<void> {
    this.state = 'draining'
    // Whoever awaits the close is told by it.
    this.closed.catch(() => {})
    await this.#supervisor.close()
    await this.closed
  }

  /** A function, so that a change meanwhile is seen. */
  #isDraining(): boolean {
    return this.state === 'draining'
  }

  async #reloadChanged(): Promise<void> {
    try {
      await this.reload()
    } catch (error) {
      if (!this.#isDraining()) this.#log.error(reasonOf(error))
    }
  }

  async #closeBesides(): Promise<void> {
    this.#watched?.close()
    await this.#admin?.close()
    await this.#task.hub.close()
  }
}
