import { cpSync, readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../../workers/testing/child.ts'
import type { Ended } from '../../workers/testing/child.ts'
import { installPackage, packPackage } from '../../workers/testing/installed-package.ts'
import { temporaryFolder } from '../../workers/testing/temporary-folder.ts'
import { readDockerfile } from './dockerfile.ts'
import type { Dockerfile } from './dockerfile.ts'

/** How often a server that does not answer yet is asked, in milliseconds. */
const TRYING_INTERVAL = 50

let tarball: Promise<string> | null = null

/** An entry that runs. */
export interface Container {
  stop(): Promise<Ended>
}

/**
 * An entry as its dockerfile makes it, in a folder instead of an image: its files, and the package as this checkout packs it,
 * installed by npm with the entry's other dependencies.
 */
export class Image {
  readonly dockerfile: Dockerfile
  readonly #folder: string

  private constructor(dockerfile: Dockerfile, folder: string) {
    this.dockerfile = dockerfile
    this.#folder = folder
  }

  static async build(path: string): Promise<Image> {
    const dockerfile = readDockerfile(path)
    const folder = temporaryFolder()
    for (const file of dockerfile.copied) cpSync(join(dirname(path), file), join(folder, file))
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    const besides = Object.keys(dependencies).filter((name) => name !== 'scherzo')
    tarball ??= packPackage()
    await installPackage(await tarball, folder, besides)
    return new Image(dockerfile, folder)
  }

  /**
   * Runs the image's command, with another environment where the machine's ports and mounts are not the container's, and
   * waits until there are answers at all the addresses.
   */
  async run(environment: Readonly<Record<string, string>>, addresses: readonly string[]): Promise<Container> {
    const [command = '', ...args] = this.dockerfile.command
    const child = new Child(command, args, {
      cwd: this.#folder,
      env: { ...this.dockerfile.environment, ...environment }
    })
    let ended: Ended | null = null
    void child.ended.then((how) => (ended = how))
    for (const address of addresses) {
      // An answer is needed: before any worker listens, the server listens for a moment to see whether its port is free.
      while (!(await isAnswering(address))) {
        if (ended !== null) throw new Error(`The entry ended before it answered: ${JSON.stringify(ended)}`)
        await sleep(TRYING_INTERVAL)
      }
    }
    return {
      stop() {
        child.signal('SIGTERM')
        return child.ended
      }
    }
  }
}

function isAnswering(address: string): Promise<boolean> {
  const request = address.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve) => {
    request(address, { agent: false, rejectUnauthorized: false }, (response) => {
      response.resume().once('close', () => resolve(true))
    })
      .once('error', () => resolve(false))
      .end()
  })
}
