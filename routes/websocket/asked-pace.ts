import type { FastifyRequest } from 'fastify'
import { type Pace, paceOf } from '../../core/broadcast/pace.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { EndpointOptions } from './options.ts'

/**
 * When the batches of a client are closed: as it asks in its query, otherwise as its route says. Sizes and times are rounded
 * down to a few, so that clients share their batches, and can't have any number of kinds made for them.
 *
 * @returns null for a client that gets each message by itself
 * @throws SCZ_ERR_WS_BATCH
 */
export function paceFor(
  { batch, batchDefault, mayAskForBatch }: EndpointOptions,
  request: FastifyRequest
): Pace | null {
  const { batch: asked } = Object(request.query) as { readonly batch?: unknown }
  if (!mayAskForBatch || asked === undefined) return batch
  if (asked === '0') return null
  if (asked === '1') return batch ?? batchDefault
  const [, size, timeout] = typeof asked === 'string' ? (SIZE_AND_TIME.exec(asked) ?? []) : []
  const pace = { size: roundDown(Number(size), SIZES), timeout: roundDown(Number(timeout), TIMES) }
  if (pace.size === null || pace.timeout === null) throw new ScherzoError('SCZ_ERR_WS_BATCH', [String(asked)])
  return paceOf(pace.size, pace.timeout, false)
}

const SIZE_AND_TIME = /^([0-9]{1,4}),([0-9]{1,4})$/
const SIZES = [10, 50, 100, 500, 1000]
/** In milliseconds. */
const TIMES = [5, 10, 20, 50, 100, 200, 500, 1000]

/** Null for what is beyond the steps. */
function roundDown(value: number, steps: readonly number[]): number | null {
  if (value > steps.at(-1)!) return null
  return steps.findLast((step) => step <= value) ?? null
}
