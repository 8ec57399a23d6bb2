import { parseBrokerAddress } from './bus/brokers/address.ts'

/** Each reads a flag, an environment variable or an option, and gives undefined where that makes no sense. */

export function wholeNumber(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  return number >= least && number <= most ? number : undefined
}

/** A time in seconds, with a fraction if need be. */
export function seconds(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === 'string' && /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined
  return number >= least && number <= most ? number : undefined
}

export function onOrOff(value: unknown): boolean | undefined {
  if (value === 'on' || value === true) return true
  if (value === 'off' || value === false) return false
  return undefined
}

export function oneOf<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice | undefined {
  return choices.find((choice) => choice === value)
}

export function isHost(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.:%-]+$/.test(value)
}

export function filePath(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined
}

/** `memory`, or the address of a broker. */
export function brokerAddress(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  return value === 'memory' || parseBrokerAddress(value) !== null ? value : undefined
}

/** What names at a broker begin with. */
export function brokerPrefix(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined
}

/** A host and a port, such as `127.0.0.1:9000`, `localhost:0` or `[::1]:9000`. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** Null for "off". */
export function addressOrOff(value: unknown): HostAndPort | null | undefined {
  if (value === 'off' || value === false) return null
  if (typeof value !== 'string') return undefined
  const [, ipv6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]+)$/.exec(value) ?? []
  const host = ipv6 ?? name
  const port = wholeNumber(digits, 0, 65_535)
  return isHost(host) && port !== undefined ? { host, port } : undefined
}
