import { ScherzoError } from './errors.ts'

/** The settings with every choice made. */
export interface Settings {
  readonly host: string
  readonly port: number
  /** Null: one for each core. */
  readonly workers: number | null
  readonly fastLane: boolean
}

interface Row<Value> {
  /** The command line's flag, without the dashes. */
  readonly flag: string
  /** What stands for the value in the help. */
  readonly placeholder: string
  /** Environment variables, the one that wins first. */
  readonly environment: readonly string[]
  readonly default: Value
  readonly meaning: string
  /** What a value has to be, for a person who gave another. */
  readonly expected: string
  /** Reads a flag, an environment variable or an option; undefined where it makes no sense. */
  readonly read: (value: unknown) => Value | undefined
}

/** Every setting of Scherzo by the name of its option. */
export const settingRows: { readonly [Name in keyof Settings]: Row<Settings[Name]> } = {
  host: {
    flag: 'host',
    placeholder: 'ADDRESS',
    environment: ['SCHERZO_HOST', 'HOST'],
    default: '127.0.0.1',
    meaning: 'address to listen on; 0.0.0.0 is every IPv4 address of the machine',
    expected: 'an IP address or a host name',
    read: (value) => (typeof value === 'string' && /^[\w.:%-]+$/.test(value) ? value : undefined)
  },
  port: {
    flag: 'port',
    placeholder: 'N',
    environment: ['SCHERZO_PORT', 'PORT'],
    default: 3000,
    meaning: 'port to listen on; 0 is any free one',
    expected: 'a whole number from 0 to 65535',
    read: (value) => wholeNumber(value, 0, 65_535)
  },
  workers: {
    flag: 'workers',
    placeholder: 'N',
    environment: ['SCHERZO_WORKERS'],
    default: null,
    meaning:
      'worker threads, each with its own event loop and copy of the app; one for each core if not given',
    expected: 'a whole number from 1 to 1024',
    read: (value) => wholeNumber(value, 1, 1024)
  },
  fastLane: {
    flag: 'fast-lane',
    placeholder: 'on|off',
    environment: ['SCHERZO_FAST_LANE'],
    default: true,
    meaning: 'whether fast routes are answered before Fastify; off changes no answer, only the speed',
    expected: '"on" or "off"',
    read: onOrOff
  }
}

/** Settings as they are given, by option name; undefined is the same as not given. */
export type GivenSettings = { readonly [Name in keyof Settings]?: unknown }

/**
 * Decides each setting: a flag or an option wins over the environment, the environment over the default.
 *
 * @param spell how a person wrote the setting, for the message: `--port` or `port`
 * @throws SCZ_ERR_SETTING naming the setting and what it takes
 */
export function resolveSettings(
  given: GivenSettings,
  environment: Readonly<Record<string, string | undefined>>,
  spell: (name: keyof Settings) => string
): Settings {
  return {
    host: resolve('host'),
    port: resolve('port'),
    workers: resolve('workers'),
    fastLane: resolve('fastLane')
  }

  function resolve<Name extends keyof Settings>(name: Name): Settings[Name] {
    const row = settingRows[name]
    if (given[name] !== undefined) return readOr(row, given[name], spell(name))
    for (const variable of row.environment) {
      const value = environment[variable]
      // An empty variable is how shells and compose files unset one.
      if (value !== undefined && value !== '') return readOr(row, value, variable)
    }
    return row.default
  }
}

function readOr<Value>(row: Row<Value>, value: unknown, spelling: string): Value {
  const result = row.read(value)
  if (result === undefined) throw new ScherzoError('SCZ_ERR_SETTING', [String(value), spelling, row.expected])
  return result
}

function wholeNumber(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  return number >= least && number <= most ? number : undefined
}

function onOrOff(value: unknown): boolean | undefined {
  if (value === 'on' || value === true) return true
  if (value === 'off' || value === false) return false
  return undefined
}
