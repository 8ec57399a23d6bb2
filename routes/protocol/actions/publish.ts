import { ScherzoError } from '../../../core/errors.ts'
import { channelOf, optionalStringOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"publish","channel":"room:1","data":{"text":"hi"},"key":".."}`. */
export const publish: Action = (fields) => {
  const channel = channelOf(fields)
  const key = optionalStringOf(fields, 'key')
  const idempotencyKey = optionalStringOf(fields, 'idempotencyKey')
  const { data } = fields
  if (data === undefined) throw new ScherzoError('SCZ_ERR_PROTOCOL_FIELD', ['data', 'there, null at least'])
  if (isDeeper(data, MAX_DEPTH))
    throw new ScherzoError('SCZ_ERR_HUB_DATA', [`it nests deeper than ${MAX_DEPTH} levels`])
  const options = {
    ...(key !== undefined && { key }),
    ...(idempotencyKey !== undefined && { idempotencyKey })
  }
  return {
    asks: { actions: ['publish'], channel },
    run: (_client, calls) => calls.publish(channel, data, options)
  }
}

/** Subscribers in languages whose parsers recurse must not be brought down by what one of them publishes. */
const MAX_DEPTH = 100

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  return Object.values(value).some((inner) => isDeeper(inner, depth - 1))
}
