import { equal } from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.ts'
import type { Ended } from './child.ts'
import { temporaryFolder } from './temporary-folder.ts'

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where the sources of the package are. */
export const repository: string = fileURLToPath(new URL('../..', import.meta.url))

/** Packs the package as it is now and gives the path of the tarball. */
export async function packPackage(): Promise<string> {
  const output = temporaryFolder()
  succeeds(await npm(['pack', '--json', '--pack-destination', output], copyOfSources()))
  const [file = ''] = readdirSync(output)
  return join(output, file)
}

/**
 * Installs a tarball of the package in a folder. With what it depends on in place, npm has nothing to ask a registry for.
 *
 * @param besides packages of the repository that the folder needs as well
 */
export async function installPackage(
  tarball: string,
  folder: string,
  besides: readonly string[] = []
): Promise<void> {
  copyDependencies(join(folder, 'node_modules'), besides)
  succeeds(await npm(['install', '--offline', '--omit=dev', tarball], folder))
}

/** Fails with what the child printed. */
export function succeeds({ code, signal, stdout, stderr }: Ended): void {
  equal(code, 0, `ended with ${code ?? signal}:\n${stdout}${stderr}`)
}

function npm(args: readonly string[], cwd: string): Promise<Ended> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--cache', temporaryFolder()]
  return new Child('npm', [...args, ...quiet], { cwd }).ended
}

/** Builds take place in a copy: whoever works in the repository has its `dist` for himself. */
function copyOfSources(): string {
  const copy = temporaryFolder()
  const left = new Set(['.git', 'node_modules', 'dist'])
  cpSync(repository, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Copies what the lock file says that a user of the package, and of those besides it, gets. */
function copyDependencies(target: string, besides: readonly string[]): void {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock
  const wanted = Object.keys(packages['']?.dependencies ?? {}).concat(besides)
  const paths = new Set(wanted.map((name) => `node_modules/${name}`))
  // A set that grows is walked to its end.
  for (const path of paths) {
    const { dependencies, optionalDependencies } = packages[path] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      paths.add(found(packages, path, name))
  }
  for (const path of paths) {
    // Of the optional ones, npm has installed those that are for this machine.
    const source = join(repository, path)
    if (existsSync(source)) cpSync(source, join(dirname(target), path), { recursive: true })
  }

  // A package whose commands are not linked counts as not installed.
  const commands = join(target, '.bin')
  mkdirSync(commands)
  for (const name of readdirSync(join(repository, 'node_modules', '.bin'))) {
    const link = readlinkSync(join(repository, 'node_modules', '.bin', name))
    if (existsSync(join(commands, link))) symlinkSync(link, join(commands, name))
  }
}

/** Where a package finds another: in its own folder, or in the nearest one around it. */
function found(packages: Lock['packages'], path: string, name: string): string {
  for (let around = path; ; around = around.slice(0, around.lastIndexOf('/node_modules/'))) {
    const own = `${around}/node_modules/${name}`
    if (own in packages) return own
    if (!around.includes('/node_modules/')) return `node_modules/${name}`
  }
}
