import { type ErrorCode, ScherzoError, reasonOf } from '../errors.ts'
import { EPOCH_BYTES, FLAGS, OFFSET, SIZE } from './record.ts'
import type { Ring } from './ring.ts'
import type { Published, Settler } from './settler.ts'

/**
 * What a broker answers is written over the record of the message where it lies in its inbox: the offset in its place, and the
 * epoch behind that; what the flags' place says is whether it is a duplicate. Or the place of the offset has a number below zero, which stands for an error, and behind it is what
 * fills in the error's message, so many bytes as the flags' place says.
 */
const ERRORS: readonly ErrorCode[] = [
  'SCZ_ERR_BROKER_REFUSED',
  'SCZ_ERR_BROKER_TIMEOUT',
  'SCZ_ERR_BROKER_LOST'
]
const BEHIND_OFFSET = 24

export function writePlace({ words, floats, bytes }: Ring, at: number, published: Published): void {
  const { epoch, offset, duplicate = false } = published
  words[(at >> 2) + FLAGS] = Number(duplicate)
  floats[(at >> 3) + OFFSET] = offset
  bytes.write(epoch, at + BEHIND_OFFSET, EPOCH_BYTES, 'hex')
}

export function writeError({ words, floats, bytes }: Ring, at: number, error: unknown): void {
  const known = error instanceof ScherzoError ? ERRORS.indexOf(error.code) : -1
  const [value = ''] = error instanceof ScherzoError ? error.values : [reasonOf(error)]
  const room = words[(at >> 2) + SIZE]! - BEHIND_OFFSET
  floats[(at >> 3) + OFFSET] = -1 - Math.max(known, 0)
  words[(at >> 2) + FLAGS] = bytes.write(String(value), at + BEHIND_OFFSET, room)
}

export function settleByAnswer({ words, floats, bytes }: Ring, at: number, settler: Settler): void {
  const offset = floats[(at >> 3) + OFFSET]!
  const start = at + BEHIND_OFFSET
  const flags = words[(at >> 2) + FLAGS]!
  if (offset >= 0) {
    const place = { epoch: bytes.toString('hex', start, start + EPOCH_BYTES), offset }
    return settler.resolve(flags === 0 ? place : { ...place, duplicate: true })
  }
  const value = bytes.toString('utf8', start, start + flags)
  settler.reject(new ScherzoError(ERRORS[-1 - offset]!, value === '' ? [] : [value]))
}
