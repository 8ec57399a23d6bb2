import { parseArgs } from 'node:util'

/** What every benchmark's command takes. */
export interface CommonOptions {
  /** Measurements of every server in every case. */
  repeats: number
  /** Length of one measured window. */
  seconds: number
  /** Length of the load before it. */
  warmUp: number
  /** Where to write every sample to, too. */
  json: string | null
  help: boolean
}

/** Makes a value of the text behind a flag; throws an error that names the flag. */
export type Parse<Value> = (flag: string, text: string) => Value

/** The same where the flag may be left out. */
export type Read<Value> = (flag: string, text: string | undefined) => Value

type Reads<Options> = { readonly [Name in keyof Options]: Read<Options[Name]> }

/**
 * Reads the arguments of one benchmark: what all of them take, with its own defaults, and what only it takes. The flag of a
 * field `warmUp` is `--warm-up`.
 */
export function readOptions<Options extends CommonOptions>(
  args: string[],
  { repeats, seconds, warmUp }: Pick<CommonOptions, 'repeats' | 'seconds' | 'warmUp'>,
  own: Reads<Omit<Options, keyof CommonOptions>>
): Options {
  const common: Reads<Omit<CommonOptions, 'help'>> = {
    repeats: option(count, repeats),
    seconds: option(positive, seconds),
    warmUp: option(positive, warmUp),
    json: option(text, null)
  }
  const fields = Object.entries<Read<unknown>>({ ...common, ...own }).map(([name, read]) => {
    return { name, flag: flagOf(name), read }
  })
  const flags = fields.map(({ flag }) => [flag, { type: 'string' }] as const)
  const { values } = parseArgs({ args, options: { ...Object.fromEntries(flags), help: { type: 'boolean' } } })
  const { help = false, ...texts } = values as { help?: boolean } & Record<string, string | undefined>
  const read = fields.map(({ name, flag, read }) => [name, read(`--${flag}`, texts[flag])] as const)
  return { ...Object.fromEntries(read), help } as Options
}

export function option<Value, Default>(parse: Parse<Value>, byDefault: Default): Read<Value | Default> {
  return (flag, text) => (text === undefined ? byDefault : parse(flag, text))
}

/** Values with commas between them. */
export function list<Value>(parse: Parse<Value>, byDefault: readonly Value[]): Read<Value[]> {
  return option((flag, text) => text.split(',').map((item) => parse(flag, item)), [...byDefault])
}

/** Some of what is known, with commas between them. */
export function someOf<Name extends string>(
  known: readonly Name[],
  byDefault: readonly Name[] = known
): Read<Name[]> {
  return list((flag, text) => {
    const found = known.find((name) => name === text)
    if (found === undefined) throw new Error(`${flag} takes ${known.join(', ')}, not "${text}"`)
    return found
  }, byDefault)
}

export const text: Parse<string> = (_flag, text) => text
export const count: Parse<number> = (flag, text) => parsePositive(flag, text, Number.isInteger)
export const positive: Parse<number> = (flag, text) => parsePositive(flag, text, Number.isFinite)

export function parsePositive(flag: string, text: string, isKind: (value: number) => boolean): number {
  const value = Number(text)
  if (!isKind(value) || value <= 0) throw new Error(`${flag} takes positive numbers, not "${text}"`)
  return value
}

function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
