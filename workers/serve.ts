import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScherzoError } from '../core/errors.ts'
import { resolveSettings, settingRows } from '../core/settings.ts'
import type { Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import { claimAddress, hostAndPort } from './address.ts'
import { findApp } from './app-file.ts'
import { planWorkers } from './plan.ts'
import { WorkerThread } from './worker-thread.ts'

/** Options of {@link serve}; what is left out comes from the environment or the defaults. */
export interface ServeOptions {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string
  /** Port to listen on; 0 is any free one. @default 3000 */
  readonly port?: number
  /** Worker threads. @default one for each core */
  readonly workers?: number
  /** Whether fast routes are answered before Fastify. Off changes no answer, only the speed. @default true */
  readonly fastLane?: boolean
}

/** A running server. */
export interface ScherzoServer {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly address: string
  /** How many worker threads serve. */
  readonly workers: number
  /** The app's routes and the lanes they are answered on. */
  readonly routes: readonly RouteRow[]
  /** What a person should know about the start, such as fewer workers than asked for. */
  readonly notices: readonly string[]
  /**
   * Settles when the server has ended: with SCZ_ERR_WORKER_EXIT or SCZ_ERR_WORKER_ERROR if a worker died, which ends the
   * others and, like any rejection that nobody handles, the process.
   */
  readonly closed: Promise<void>
  /**
   * Stops accepting, lets the app's close hooks run, and ends the workers.
   *
   * @throws SCZ_ERR_WORKER_EXIT, SCZ_ERR_WORKER_ERROR if the app failed to close; nothing is left running then
   */
  close(): Promise<void>
}

/**
 * Serves an app on every core. Resolves once every worker listens.
 *
 * @param app the file of the app, a Fastify plugin as the default export; relative to the working directory
 * @throws SCZ_ERR_SETTING, SCZ_ERR_OPTION_UNKNOWN, SCZ_ERR_APP_MISSING, SCZ_ERR_APP_EXPORT, SCZ_ERR_APP_START, SCZ_ERR_LISTEN,
 *   SCZ_ERR_WORKER_EXIT, SCZ_ERR_WORKER_ERROR; nothing is left running then
 *
 * @example
 * const server = await serve('./app.ts', { port: 3000 })
 * console.log(server.address)
 */
export async function serve(app: string | URL, options: ServeOptions = {}): Promise<ScherzoServer> {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(settingRows, name))
      throw new ScherzoError('SCZ_ERR_OPTION_UNKNOWN', [name, Object.keys(settingRows).join(', ')])
  }
  return serveWith(
    app,
    resolveSettings(options, process.env, (name) => name)
  )
}

/** `serve()` with every setting decided. */
export async function serveWith(app: string | URL, settings: Settings): Promise<ScherzoServer> {
  const path = pathOf(app)
  await findApp(path)
  const { workers, reusePort, notice } = planWorkers(
    settings.workers,
    process.platform,
    availableParallelism()
  )
  const claimed = await claimAddress(settings.host, settings.port)

  const task = { app: path, fastLane: settings.fastLane, listen: { ...claimed, reusePort } }
  const threads = Array.from({ length: workers }, (_, index) => new WorkerThread(index + 1, task))
  let routes: readonly RouteRow[]
  try {
    const all = await Promise.all(threads.map((thread) => thread.ready))
    routes = all[0]!
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.terminate()))
    throw error
  }

  const closed = watch(threads)
  return {
    address: `http://${hostAndPort(claimed.host, claimed.port)}`,
    workers,
    routes,
    notices: notice === null ? [] : [notice],
    closed,
    close: async () => {
      // Who awaits the close is told by it.
      closed.catch(() => {})
      throwFirst(await Promise.all(threads.map((thread) => thread.close())))
    }
  }
}

/**
 * The routes of an app and their lanes, without serving it.
 *
 * @throws SCZ_ERR_APP_MISSING, SCZ_ERR_APP_EXPORT, SCZ_ERR_APP_START
 */
export async function routesOf(app: string | URL, settings: Settings): Promise<readonly RouteRow[]> {
  const path = pathOf(app)
  await findApp(path)
  const thread = new WorkerThread(1, { app: path, fastLane: settings.fastLane, listen: null })
  try {
    const routes = await thread.ready
    await thread.close()
    return routes
  } finally {
    await thread.terminate()
  }
}

function pathOf(app: string | URL): string {
  return app instanceof URL ? fileURLToPath(app) : resolve(app)
}

async function watch(threads: readonly WorkerThread[]): Promise<void> {
  const causes = threads.map(async (thread) => {
    const cause = await thread.ended
    // Without one of its workers the server would go on at half its strength and nobody would know.
    if (!thread.isClosing) await Promise.all(threads.map((each) => each.terminate()))
    return cause
  })
  throwFirst(await Promise.all(causes))
}

function throwFirst(causes: readonly (ScherzoError | null)[]): void {
  const cause = causes.find((each) => each !== null)
  if (cause !== undefined) throw cause
}
