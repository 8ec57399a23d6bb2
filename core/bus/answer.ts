import { type ErrorCode, ScherzoError, reasonOf } from '../errors.ts'
import type { Place } from './broker.ts'
import { EPOCH_BYTES, FLAGS, OFFSET, SIZE } from './record.ts'
import type { Ring } from './ring.ts'
import type { Settler } from './settler.ts'

/**
 * What a broker answers is written over the record of the message where it lies in its inbox: the offset in its place, and the
 * epoch behind that. Or the place of the offset has a number below zero, which stands for an error, and behind it is what
 * fills in the error's message, so many bytes as the flags' place says.
 */
const ERRORS: readonly ErrorCode[] = [
  'SCZ_ERR_BROKER_REFUSED',
  'SCZ_ERR_BROKER_TIMEOUT',
  'SCZ_ERR_BROKER_LOST'
]
const BEHIND_OFFSET = 24

export function writePlace({ words, floats, bytes }: Ring, at: number, { epoch, offset }: Place): void {
  words[(at >> 2) + FLAGS] = 0
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
  if (offset > 0) return settler.resolve({ epoch: bytes.toString('hex', start, start + EPOCH_BYTES), offset })
  const value = bytes.toString('utf8', start, start + words[(at >> 2) + FLAGS]!)
  settler.reject(new ScherzoError(ERRORS[-1 - offset]!, value === '' ? [] : [value]))
}
