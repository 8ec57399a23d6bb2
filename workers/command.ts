import { parseArgs } from 'node:util'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { resolveSettings, settingRows } from '../core/settings.ts'
import type { GivenSettings, Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import type { Logger } from 'pino'
import { createLog, isReadable } from './log.ts'
import { packageVersion } from './package-version.ts'
import { routesOf, serveWith } from './serve.ts'
import type { Server } from './server.ts'

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

  const settings = resolveSettings(givenIn(flags), process.env, {
    spell: (name) => `--${settingRows[name].flag}`,
    isCommand: true
  })
  if (command === 'serve') await serveUntilStopped(app, settings)
  else console.log(routeTable(await routesOf(app, settings)))
}

async function serveUntilStopped(app: string, settings: Settings): Promise<void> {
  const log = createLog(settings, null)
  const server = await serveWith(app, settings, log)
  // Before the first line is printed: whoever reads it may send a signal at once.
  handleSignals(server, log)
  for (const notice of server.notices) log.warn(notice)
  const details = { address: server.address, admin: server.adminAddress }
  const line = `Scherzo serves ${app} at ${server.address} (${describeThreads(server)})`
  if (isReadable(settings.logFormat)) {
    log.info(line)
    if (server.adminAddress !== null) log.info(`The admin server is at ${server.adminAddress}`)
    console.log(routeTable(server.routes))
  } else {
    log.info({ ...details, routes: server.routes }, line)
  }
  await server.closed
}

/** Such as `multithread, 2 workers and 4 pool threads on 2 cores`. */
function describeThreads({ runtime, workers, poolThreads, cores }: Server): string {
  const loops = workers === 1 ? '1 worker' : `${workers} workers`
  const pool = runtime === 'multithread' ? ` and ${poolThreads} pool threads` : ''
  return `${runtime}, ${loops}${pool} on ${cores === 1 ? '1 core' : `${cores} cores`}`
}

/** The first signal to stop lets the app finish and close; a second one does not wait for that. */
function handleSignals(server: Server, log: Logger): void {
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      log.warn(`${signal} again: open requests are cut`)
      process.exit(1)
    }
    isStopping = true
    log.info(`${signal}: no new connections, open requests have ${server.settings.drainTimeout} s to finish`)
    // What fails here makes `closed` fail too, and that is what the command waits for.
    server.close().catch(() => {})
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  process.on('SIGHUP', () => {
    log.info('SIGHUP: reloading')
    server.reload().catch((error: unknown) => {
      if (!isStopping) log.error(reasonOf(error))
    })
  })
}

type Flags = Readonly<Record<string, string | boolean | undefined>>

function parse(argv: readonly string[]): { flags: Flags; positionals: readonly string[] } {
  const values = Object.values(settingRows).map(
    ({ flag, placeholder }) => [flag, { type: placeholder === null ? 'boolean' : 'string' }] as const
  )
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

/** Where the meaning of a flag begins in the help. */
const HELP_COLUMN = 32

function helpText(): string {
  const rows = Object.values(settingRows).map(({ flag, placeholder, environment, shownDefault, meaning }) => {
    const left = placeholder === null ? `--${flag}` : `--${flag} ${placeholder}`
    const indent = ' '.repeat(HELP_COLUMN)
    return `  ${left.padEnd(HELP_COLUMN - 2)}${meaning} (default ${shownDefault})\n${indent}${environment.join(', ')}`
  })
  return [
    'Usage: scherzo serve app.ts [options]    serve a Fastify app on every core',
    '       scherzo routes app.ts             print its routes and their lanes',
    '',
    'Options, each with its environment variables:',
    ...rows,
    `  ${'--help, --version'.padEnd(HELP_COLUMN - 2)}print this, or the version`
  ].join('\n')
}
