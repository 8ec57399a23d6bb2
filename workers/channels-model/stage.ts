import { fileURLToPath } from 'node:url'
import { ScherzoError } from '../../core/errors.ts'
import { serve } from '../serve.ts'
import type { ScherzoServer } from '../server.ts'
import { World } from './world.ts'

const APP = fileURLToPath(new URL('./app.ts', import.meta.url))

/** After so many in a row the server waits long before it replaces another worker. */
const MAX_KILLS = 4

/** The server that one schedule after another has for its own channels, since it takes longer to start than most of them. */
export class Stage {
  #server: ScherzoServer | null = null
  #epoch = ''
  #kills = 0
  #worlds = 0

  async open(): Promise<World> {
    if (this.#server === null) await this.#start()
    return new World(this.#server!, this.#epoch, ++this.#worlds, MAX_KILLS - this.#kills)
  }

  /** @param isWell a server with which something was wrong is not used again */
  async close(world: World, isWell: boolean): Promise<void> {
    world.close()
    this.#kills += world.happened.kills
    if (!isWell || this.#kills >= MAX_KILLS) await this.end()
  }

  async end(): Promise<void> {
    const server = this.#server
    this.#server = null
    // A worker that was told to die may do so only now.
    await server?.close().catch((error: unknown) => {
      if (this.#kills === 0 || !isDeath(error)) throw error
    })
  }

  async #start(): Promise<void> {
    this.#server = await serve(APP, {
      port: 0,
      workers: 2,
      logLevel: 'silent',
      drainTimeout: 1,
      closeTimeout: 10,
      pingInterval: 0,
      historyBytes: 2 ** 30
    })
    this.#kills = 0
    this.#epoch = (await this.#server.publish('epoch', null)).epoch
  }
}

function isDeath(error: unknown): boolean {
  return (
    error instanceof ScherzoError &&
    (error.code === 'SCZ_ERR_WORKER_ERROR' || error.code === 'SCZ_ERR_WORKER_EXIT')
  )
}
