import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { versionOf } from '../harness/machine.ts'
import { root } from '../harness/processes.ts'

const BUN_PACKAGES = 'bench/node_modules/@oven'
const SECONDS_TO_INSTALL = 180

/** Where Bun's program is, from the root of the checkout, or null where it cannot be installed. */
export function installBun(log: (line: string) => void): string | null {
  return isPeerInstalled('bun', log) ? findBun() : null
}

/** Installs what bench/package.json pins, unless the peer is there in that version. */
export function isPeerInstalled(name: string, log: (line: string) => void): boolean {
  if (isPinnedVersion(name)) return true
  log(`Installing ${name} in bench/`)
  // Bun's install script would only link the program that its platform's package holds. The prefix is there because an
  // npm that runs under "npm run" takes the folder of the outer one otherwise.
  spawnSync('npm', ['ci', '--prefix', 'bench', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: SECONDS_TO_INSTALL * 1000
  })
  return isPinnedVersion(name)
}

function findBun(): string | null {
  const folder = `${root}${BUN_PACKAGES}`
  const platforms = existsSync(folder) ? readdirSync(folder) : []
  for (const platform of platforms) {
    const program = `${BUN_PACKAGES}/${platform}/bin/bun`
    if (spawnSync(program, ['--version'], { cwd: root }).status === 0) return program
  }
  return null
}

function isPinnedVersion(name: string): boolean {
  const { dependencies } = JSON.parse(readFileSync(`${root}bench/package.json`, 'utf8')) as {
    dependencies: Record<string, string>
  }
  return versionOf(`bench/node_modules/${name}`) === dependencies[name]
}
