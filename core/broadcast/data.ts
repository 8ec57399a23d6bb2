import { types } from 'node:util'
import { isOwnName, ownNameOf } from '../bus/own-channels.ts'
import { ScherzoError, reasonOf } from '../errors.ts'

/**
 * What may be published: bytes, or a value that JSON can hold, a string included. The publisher serialises it once, and what
 * goes through the log is JSON or bytes: who delivers it need not look inside.
 */
export type HubData = unknown

/** @throws SCZ_ERR_HUB_DATA */
export function encodeData(data: HubData): string | Uint8Array {
  if (types.isUint8Array(data)) return data
  // JSON would make an object of them, without a word.
  if (types.isAnyArrayBuffer(data) || ArrayBuffer.isView(data))
    throw new ScherzoError('SCZ_ERR_HUB_DATA', ['bytes have to be a Uint8Array or a Buffer'])
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (error) {
    throw new ScherzoError('SCZ_ERR_HUB_DATA', [reasonOf(error)], { cause: error })
  }
  if (json === undefined) throw new ScherzoError('SCZ_ERR_HUB_DATA', [`JSON has no ${typeof data}`])
  return json
}

/** What the data was, for listeners on the server. */
export function decodeData(data: Buffer, isText: boolean): HubData {
  return isText ? JSON.parse(data.toString()) : Buffer.from(data)
}

/** What is broadcast goes through the log in a channel that nobody can name. */
export const BROADCAST = ''

/** Who is in a channel goes through the log in another one, which nobody can name either. */
export function presenceNameOf(channel: string): string {
  return ownNameOf(channel)
}

/** What clients and apps name need not be a string. */
export function isPresenceName(name: unknown): boolean {
  return typeof name === 'string' && isOwnName(name)
}

/** The channel whose members are told under the name. */
export function watchedChannelOf(name: string): string {
  return name.slice(ownNameOf('').length)
}

/** @throws SCZ_ERR_HUB_CHANNEL */
export function checkChannel(channel: string): void {
  if (typeof channel !== 'string' || channel === BROADCAST || isPresenceName(channel))
    throw new ScherzoError('SCZ_ERR_HUB_CHANNEL', [String(channel)])
  // UTF-8 has no lone surrogates: in the log it would become another channel.
  if (!channel.isWellFormed() || Buffer.byteLength(channel) > MAX_CHANNEL_BYTES)
    throw new ScherzoError('SCZ_ERR_HUB_CHANNEL', [channel.slice(0, SHOWN).toWellFormed()])
}

/** @throws SCZ_ERR_HUB_IDEMPOTENCY_KEY */
export function checkIdempotencyKey(key: string): void {
  const isRight = typeof key === 'string' && key !== '' && key.isWellFormed()
  if (!isRight || Buffer.byteLength(key) > MAX_IDEMPOTENCY_KEY_BYTES)
    throw new ScherzoError('SCZ_ERR_HUB_IDEMPOTENCY_KEY', [String(key).slice(0, SHOWN).toWellFormed()])
}

/** As much as the log takes. */
const MAX_CHANNEL_BYTES = 1024
/** Many of them are remembered. */
const MAX_IDEMPOTENCY_KEY_BYTES = 255
const SHOWN = 40
