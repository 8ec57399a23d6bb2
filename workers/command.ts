import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { resolveSettings, settingRows } from '../core/settings.ts'
import type { GivenSettings, Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import { routesOf, serveWith } from './serve.ts'
import type { ScherzoServer } from './serve.ts'

/**
 * Runs the `scherzo` command.
 *
 * @throws SCZ_ERR_COMMAND, SCZ_ERR_ARGUMENTS and what `serve()` throws
 */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const { flags, positionals } = parse(argv)
  if (flags['help'] === true) return console.log(helpText())
  if (flags['version'] === true) return console.log(packageVersion())

  const [command, app, ...others] = positionals
  if (command === undefined) throw new ScherzoError('SCZ_ERR_ARGUMENTS', ['no command given'])
  if (command !== 'serve' && command !== 'routes') throw new ScherzoError('SCZ_ERR_COMMAND', [command])
  if (app === undefined)
    throw new ScherzoError('SCZ_ERR_ARGUMENTS', [`"${command}" needs the file of an app, such as app.ts`])
  if (others.length > 0) throw new ScherzoError('SCZ_ERR_ARGUMENTS', [`"${others[0]}" is one too many`])

  const settings = resolveSettings(givenIn(flags), process.env, (name) => `--${settingRows[name].flag}`)
  if (command === 'serve') await serveUntilStopped(app, settings)
  else console.log(routeTable(await routesOf(app, settings)))
}

async function serveUntilStopped(app: string, settings: Settings): Promise<void> {
  const server = await serveWith(app, settings)
  // Before the first line is printed: whoever reads it may send a signal at once.
  stopOnSignal(server)
  for (const notice of server.notices) console.log(notice)
  const workers = server.workers === 1 ? '1 worker' : `${server.workers} workers`
  const cores = availableParallelism() === 1 ? '1 core' : `${availableParallelism()} cores`
  console.log(`Scherzo serves ${app} at ${server.address} (current_thread, ${workers} on ${cores})`)
  console.log(routeTable(server.routes))
  await server.closed
}

/** The first signal lets the app finish and close; a second one does not wait for that. */
function stopOnSignal(server: ScherzoServer): void {
  let isStopping = false
  const stop = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    // What fails here makes `closed` fail too, and that is what the command waits for.
    server.close().catch(() => {})
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
}

type Flags = Readonly<Record<string, string | boolean | undefined>>

function parse(argv: readonly string[]): { flags: Flags; positionals: readonly string[] } {
  const values = Object.values(settingRows).map(({ flag }) => [flag, { type: 'string' }] as const)
  try {
    const { values: flags, positionals } = parseArgs({
      args: withNegativeNumbers(argv),
      allowPositionals: true,
      options: {
        ...Object.fromEntries(values),
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' }
      }
    })
    return { flags, positionals }
  } catch (error) {
    const [sentence = ''] = reasonOf(error).split('. ')
    throw new ScherzoError('SCZ_ERR_ARGUMENTS', [sentence.charAt(0).toLowerCase() + sentence.slice(1)])
  }
}

/** A number below zero is a value, and not the next flag: `--port -1` is told what a port can be. */
function withNegativeNumbers(argv: readonly string[]): string[] {
  const joined: string[] = []
  for (const part of argv) {
    const before = joined.at(-1)
    if (/^-\d/.test(part) && before !== undefined && /^--[\w-]+$/.test(before))
      joined.splice(-1, 1, `${before}=${part}`)
    else joined.push(part)
  }
  return joined
}

function givenIn(flags: Flags): GivenSettings {
  return Object.fromEntries(Object.entries(settingRows).map(([name, { flag }]) => [name, flags[flag]]))
}

function routeTable(routes: readonly RouteRow[]): string {
  if (routes.length === 0) return '  no routes'
  const rows = routes.map(({ methods, path, lane, note }) => [
    lane,
    methods.join(', '),
    path,
    note === '' ? '' : `(${note})`
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

function packageVersion(): string {
  const file = findPackageJSON(import.meta.url)
  return file === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function helpText(): string {
  const rows = Object.values(settingRows).map(
    ({ flag, placeholder, environment, default: value, meaning }) => {
      const shown = value === null ? '' : ` (default ${value === true ? 'on' : value})`
      return `  ${`--${flag} ${placeholder}`.padEnd(22)}${meaning}${shown}\n${' '.repeat(24)}${environment.join(', ')}`
    }
  )
  return [
    'Usage: scherzo serve app.ts [options]    serve a Fastify app on every core',
    '       scherzo routes app.ts             print its routes and their lanes',
    '',
    'Options, each with its environment variables:',
    ...rows,
    `  ${'--help, --version'.padEnd(22)}print this, or the version`
  ].join('\n')
}
