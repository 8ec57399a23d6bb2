import type { Since } from '../../core/broadcast/since.ts'

/**
 * Where a client stands in the channels of its stream, as one text that goes into the ids of events: `epoch:12` for one channel,
 * `ticks=epoch:12&news=epoch:5` for several, with their names as in a query.
 *
 * @returns null where it is neither, or leaves open which channel it means
 */
export function readPlaces(text: string, channels: readonly string[]): ReadonlyMap<string, Since> | null {
  const only = readPlace(text)
  if (only !== null) return channels.length === 1 ? new Map([[channels[0]!, only]]) : null
  const places = new Map<string, Since>()
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 1 ? null : decode(pair.slice(0, equals))
    const place = readPlace(pair.slice(equals + 1))
    if (name === null || place === null) return null
    // The route may have had other channels then.
    if (channels.includes(name)) places.set(name, place)
  }
  return places
}

/** The same for several channels, as it is sent. */
export function placesText(places: ReadonlyMap<string, Since>): string {
  return Array.from(
    places,
    ([channel, { epoch, offset }]) => `${encodeURIComponent(channel)}=${epoch}:${offset}`
  ).join('&')
}

const MAX_EPOCH = 100

function readPlace(text: string): Since | null {
  const colon = text.lastIndexOf(':')
  const epoch = text.slice(0, Math.max(0, colon))
  const offset = readOffset(text.slice(colon + 1))
  return offset === null || epoch === '' || epoch.length > MAX_EPOCH || /[=&]/.test(epoch)
    ? null
    : { epoch, offset }
}

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
