import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { RouteRow } from '../../routes/mount.ts'
import { resolveSettings } from '../../core/settings.ts'
import type { GivenSettings, Settings } from '../../core/settings.ts'
import { loadApp } from '../app.ts'
import type { App } from '../app.ts'
import { HubCenter } from '../hub/hub-center.ts'
import { ThreadHub } from '../hub/thread-hub.ts'
import { createLog } from '../log.ts'
import type { TlsMaterial } from '../messages.ts'
import { Stats } from '../metrics/stats.ts'

/** An app that listens in this process. */
export interface LoadedApp {
  readonly fastify: FastifyInstance
  readonly server: Server
  readonly port: number
  readonly routes: readonly RouteRow[]
}

/** @param file relative to this folder */
export async function listenHere(file: string, given: GivenSettings = {}): Promise<LoadedApp> {
  const app = await loadHere(fileURLToPath(new URL(file, import.meta.url)), given)
  return listenWith(app)
}

/** Lets an app that is loaded listen. */
export async function listenWith({ fastify, routes }: App): Promise<LoadedApp> {
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  return {
    fastify,
    server: fastify.server as Server,
    port: (fastify.server.address() as AddressInfo).port,
    routes
  }
}

/** Loads an app as a worker does, without a word in the log. */
export async function loadHere(
  path: string,
  given: GivenSettings = {},
  tls: TlsMaterial | null = null
): Promise<App> {
  const settings = resolveSettings(
    { logLevel: 'silent', ...given },
    {},
    { spell: (name) => name, isCommand: false }
  )
  const log = createLog(settings, null)
  const hub = new LonelyHub(settings, log)
  try {
    return await loadApp(path, {
      settings,
      stats: new Stats(),
      log,
      tls,
      worker: 1,
      poolThreads: settings.runtime === 'multithread' ? (settings.poolThreads ?? 2) : 0,
      hub
    })
  } catch (error) {
    hub.close()
    throw error
  }
}

/** The hub of a worker without a primary. */
class LonelyHub extends ThreadHub {
  readonly #center: HubCenter

  constructor(settings: Settings, log: Logger) {
    const center = new HubCenter(() => {}, settings)
    super(center.connect(), settings, log)
    this.#center = center
  }

  override close(): void {
    super.close()
    void this.#center.close()
  }
}
