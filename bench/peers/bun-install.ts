import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { versionOf } from '../harness/machine.ts'
import { root } from '../harness/processes.ts'

const PACKAGES = 'bench/node_modules/@oven'
const SECONDS_TO_INSTALL = 180

/** Where Bun's program is, from the root of the checkout, or null where it cannot be installed. */
export function installBun(log: (line: string) => void): string | null {
  const found = findBun()
  if (found !== null) return found
  log('Installing Bun in bench/')
  // Bun's install script would only link the program that its platform's package holds. The prefix is there because an
  // npm that runs under "npm run" takes the folder of the outer one otherwise.
  spawnSync('npm', ['ci', '--prefix', 'bench', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: SECONDS_TO_INSTALL * 1000
  })
  return findBun()
}

function findBun(): string | null {
  if (!isPinnedVersion()) return null
  const folder = `${root}${PACKAGES}`
  const platforms = existsSync(folder) ? readdirSync(folder) : []
  for (const platform of platforms) {
    const program = `${PACKAGES}/${platform}/bin/bun`
    if (spawnSync(program, ['--version'], { cwd: root }).status === 0) return program
  }
  return null
}

function isPinnedVersion(): boolean {
  const pinned = JSON.parse(readFileSync(`${root}bench/package.json`, 'utf8')) as {
    dependencies: { bun: string }
  }
  return versionOf('bench/node_modules/bun') === pinned.dependencies.bun
}
