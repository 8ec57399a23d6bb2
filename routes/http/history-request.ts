import { ScherzoError } from '../../core/errors.ts'
import type { HistoryOptions } from '../../core/broadcast/history-reading.ts'

/**
 * What a query asks of the past: `since=epoch:offset` and `limit`.
 *
 * @throws SCZ_ERR_HTTP_QUERY
 */
export function readHistoryQuery(query: unknown, maxMessages: number): HistoryOptions {
  const { since, limit } = Object(query) as { readonly since?: unknown; readonly limit?: unknown }
  const most = Math.min(DEFAULT_LIMIT, maxMessages)
  const options = { limit: limit === undefined ? most : limitOf(limit, maxMessages) }
  return since === undefined ? options : { ...options, since: sinceOf(since) }
}

const DEFAULT_LIMIT = 100

function limitOf(limit: unknown, most: number): number {
  const number = typeof limit === 'string' && /^[0-9]{1,6}$/.test(limit) ? Number(limit) : 0
  if (number < 1 || number > most)
    throw new ScherzoError('SCZ_ERR_HTTP_QUERY', ['limit', `a whole number from 1 to ${most}`])
  return number
}

function sinceOf(since: unknown): { epoch: string; offset: number } {
  const [, epoch, digits] = (typeof since === 'string' && /^(.{1,100}):([0-9]{1,16})$/.exec(since)) || []
  const offset = Number(digits)
  if (epoch === undefined || !Number.isSafeInteger(offset))
    throw new ScherzoError('SCZ_ERR_HTTP_QUERY', ['since', 'epoch:offset, as an answer before gave them'])
  return { epoch, offset }
}
