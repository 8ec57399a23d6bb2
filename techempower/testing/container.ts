import { cpSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../../workers/testing/child.ts'
import type { Ended } from '../../workers/testing/child.ts'
import { installPackage, packPackage } from '../../workers/testing/installed-package.ts'
import { temporaryFolder } from '../../workers/testing/temporary-folder.ts'
import { readDockerfile } from './dockerfile.ts'
import type { Dockerfile } from './dockerfile.ts'

/** How often a server that does not listen yet is tried, in milliseconds. */
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
   * waits until all the ports are open.
   */
  async run(environment: Readonly<Record<string, string>>, ports: readonly number[]): Promise<Container> {
    const [command = '', ...args] = this.dockerfile.command
    const child = new Child(command, args, {
      cwd: this.#folder,
      env: { ...this.dockerfile.environment, ...environment }
    })
    const early = child.ended.then(({ stdout, stderr }) => {
      throw new Error(`The entry ended before its ports were open:\n${stdout}${stderr}`)
    })
    await Promise.race([early, Promise.all(ports.map(untilOpen))])
    early.catch(() => {})
    return {
      stop() {
        child.signal('SIGTERM')
        return child.ended
      }
    }
  }
}

async function untilOpen(port: number): Promise<void> {
  while (!(await isOpen(port))) await sleep(TRYING_INTERVAL)
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const tell = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', tell(true)).once('error', tell(false))
  })
}
