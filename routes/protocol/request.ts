import { checkChannel } from '../../core/broadcast/data.ts'
import { checkSince } from '../../core/broadcast/since.ts'
import type { Since } from '../../core/broadcast/since.ts'
import { ScherzoError } from '../../core/errors.ts'

/** A message of a client: an object of JSON with an id. Nothing else in it has been looked at. */
export interface Request {
  readonly id: number
  readonly fields: Fields
}

export type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a message of a client.
 *
 * @throws SCZ_ERR_PROTOCOL_MESSAGE
 */
export function readRequest(data: Buffer, isBinary: boolean): Request {
  if (isBinary) throw unreadable('it is binary, and requests are text')
  const fields = parse(data.toString())
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw unreadable('it is no JSON object')
  const { id } = fields as Fields
  if (!Number.isSafeInteger(id) || (id as number) < 1)
    throw unreadable(`its id has to be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`)
  return { id: id as number, fields: fields as Fields }
}

/** @throws SCZ_ERR_PROTOCOL_FIELD, SCZ_ERR_HUB_CHANNEL */
export function channelOf(fields: Fields): string {
  const channel = stringOf(fields, 'channel')
  checkChannel(channel)
  return channel
}

/**
 * Null where the client has nothing yet.
 *
 * @throws SCZ_ERR_HUB_SINCE
 */
export function sinceOf({ since }: Fields): Since | null {
  if (since === undefined || since === null) return null
  checkSince(since)
  return since as Since
}

/** @throws SCZ_ERR_PROTOCOL_FIELD */
export function stringOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new ScherzoError('SCZ_ERR_PROTOCOL_FIELD', [name, 'a string'])
  return value
}

/** @throws SCZ_ERR_PROTOCOL_FIELD */
export function optionalStringOf(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : stringOf(fields, name)
}

/** @throws SCZ_ERR_PROTOCOL_FIELD */
export function optionalFlagOf(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false
  if (typeof value !== 'boolean') throw new ScherzoError('SCZ_ERR_PROTOCOL_FIELD', [name, 'true or false'])
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable('it is not JSON')
  }
}

function unreadable(reason: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_PROTOCOL_MESSAGE', [reason])
}
