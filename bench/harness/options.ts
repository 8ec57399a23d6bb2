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

type Flag<Name extends 'string' | 'boolean', Default> = { readonly type: Name; readonly default: Default }

/** The same for `parseArgs`, with the defaults of one benchmark. */
export function commonFlags(repeats: number, seconds: number, warmUp: number): CommonFlags {
  return {
    repeats: { type: 'string', default: String(repeats) },
    seconds: { type: 'string', default: String(seconds) },
    'warm-up': { type: 'string', default: String(warmUp) },
    json: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
}

interface CommonFlags {
  readonly repeats: Flag<'string', string>
  readonly seconds: Flag<'string', string>
  readonly 'warm-up': Flag<'string', string>
  readonly json: { readonly type: 'string' }
  readonly help: Flag<'boolean', boolean>
}

interface CommonValues {
  readonly repeats: string
  readonly seconds: string
  readonly 'warm-up': string
  readonly json?: string | undefined
  readonly help: boolean
}

export function readCommon({ repeats, seconds, 'warm-up': warmUp, json, help }: CommonValues): CommonOptions {
  return {
    repeats: parsePositive('--repeats', repeats, Number.isInteger),
    seconds: parsePositive('--seconds', seconds, Number.isFinite),
    warmUp: parsePositive('--warm-up', warmUp, Number.isFinite),
    json: json ?? null,
    help
  }
}

export function parseCounts(name: string, text: string): number[] {
  return text.split(',').map((item) => parsePositive(name, item, Number.isInteger))
}

export function parsePositive(name: string, text: string, isKind: (value: number) => boolean): number {
  const value = Number(text)
  if (!isKind(value) || value <= 0) throw new Error(`${name} takes positive numbers, not "${text}"`)
  return value
}

export function parseList<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((item) => {
    const found = known.find((one) => one === item)
    if (found === undefined) throw new Error(`${name} takes ${known.join(', ')}, not "${item}"`)
    return found
  })
}
