import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { openBroker } from '../core/bus/brokers/open.ts'
import { ScherzoError } from '../core/errors.ts'
import { resolveSettings, settingRows } from '../core/settings.ts'
import type { Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import { claimAddress, hostAndPort } from './address.ts'
import { findApp } from './app-file.ts'
import { HubCenter } from './hub/hub-center.ts'
import { createLog } from './log.ts'
import { planWorkers } from './plan.ts'
import type { ServeOptions } from './serve-options.ts'
import { Server } from './server.ts'
import type { ScherzoServer } from './server.ts'
import type { SlotTask } from './slot.ts'
import { readTls } from './tls.ts'
import { WorkerThread } from './worker-thread.ts'

/**
 * Serves an app on every core. Resolves once every worker listens.
 *
 * @param app the file of the app, a Fastify plugin as the default export; relative to the working directory
 * @throws SCZ_ERR_SETTING, SCZ_ERR_OPTION_UNKNOWN, SCZ_ERR_TLS_PAIR, SCZ_ERR_TLS_FILE, SCZ_ERR_APP_MISSING, SCZ_ERR_APP_EXPORT,
 *   SCZ_ERR_APP_START, SCZ_ERR_LISTEN, SCZ_ERR_ADMIN_LISTEN, SCZ_ERR_WORKER_EXIT, SCZ_ERR_WORKER_ERROR,
 *   SCZ_ERR_BROKER_UNREACHABLE, SCZ_ERR_BROKER_CREDENTIALS, SCZ_ERR_BROKER_VERSION; nothing is left running then
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
  const settings = resolveSettings(options, process.env, { spell: (name) => name, isCommand: false })
  return serveWith(app, settings, createLog(settings, null))
}

/** `serve()` with every setting decided. */
export async function serveWith(app: string | URL, settings: Settings, log: Logger): Promise<Server> {
  const path = pathOf(app)
  await findApp(path)
  const plan = planWorkers(settings, process.platform, availableParallelism())
  const tls = await readTls(settings)
  const claimed = await claimAddress(settings.host, settings.port)
  const listen = { ...claimed, reusePort: plan.reusePort }
  const broker = await openBroker(settings.broker, {
    prefix: settings.brokerPrefix,
    timeout: settings.brokerTimeout,
    idempotencyWindow: settings.idempotencyWindow * 1000
  })
  const hub = new HubCenter((error, message) => log.error({ err: error }, message), settings, broker)
  const task: SlotTask = { app: path, settings, listen, tls, poolThreads: plan.poolThreads, hub }
  const address = `${tls === null ? 'http' : 'https'}://${hostAndPort(claimed.host, claimed.port)}`
  const server = new Server(task, plan, address, log)
  await server.start()
  return server
}

/**
 * The routes of an app and their lanes, without serving it.
 *
 * @throws SCZ_ERR_APP_MISSING, SCZ_ERR_APP_EXPORT, SCZ_ERR_APP_START
 */
export async function routesOf(app: string | URL, settings: Settings): Promise<readonly RouteRow[]> {
  const path = pathOf(app)
  await findApp(path)
  const hub = new HubCenter(() => {}, settings)
  const thread = new WorkerThread({
    number: 1,
    app: path,
    settings,
    listen: null,
    tls: null,
    poolThreads: 0,
    hub
  })
  try {
    const { routes } = await thread.ready
    await thread.close('later')
    return routes
  } finally {
    await thread.terminate()
    await hub.close()
  }
}

function pathOf(app: string | URL): string {
  return app instanceof URL ? fileURLToPath(app) : resolve(app)
}
