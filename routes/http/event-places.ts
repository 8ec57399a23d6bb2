import type { Since } from '../../core/broadcast/since.ts'

/**
 * Where a client stands in the channels of its stream, as one text that goes into the ids of events: `epoch:12` for one channel,
 * `epoch:ticks=12&news=5` for several, with their names as in a query.
 *
 * @returns null where it is neither, or leaves open which channel it means
 */
export function readPlaces(text: string, channels: readonly string[]): ReadonlyMap<string, Since> | null {
  const colon = text.lastIndexOf(':')
  if (colon < 1 || colon > MAX_EPOCH) return null
  const epoch = text.slice(0, colon)
  const rest = text.slice(colon + 1)
  const only = readOffset(rest)
  if (only !== null) {
    return channels.length === 1 ? new Map([[channels[0]!, { epoch, offset: only }]]) : null
  }
  const places = new Map<string, Since>()
  for (const pair of rest.split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 1 ? null : decode(pair.slice(0, equals))
    const offset = readOffset(pair.slice(equals + 1))
    if (name === null || offset === null) return null
    // The route may have had other channels then.
    if (channels.includes(name)) places.set(name, { epoch, offset })
  }
  return places
}

/** The same for several channels, as it is sent. */
export function placesText(epoch: string, offsets: ReadonlyMap<string, number>): string {
  const pairs = Array.from(offsets, ([channel, offset]) => `${encodeURIComponent(channel)}=${offset}`)
  return `${epoch}:${pairs.join('&')}`
}

const MAX_EPOCH = 100

function readOffset(digits: string): number | null {
  const offset = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : NaN
  return Number.isSafeInteger(offset) ? offset : null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
