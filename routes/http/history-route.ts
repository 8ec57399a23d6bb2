import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ChannelRules } from '../../core/broadcast/channel-rules.ts'
import type { HistoryMessage, HistoryOptions, HubHistory } from '../../core/broadcast/history-reading.ts'
import type { Lost, Since } from '../../core/broadcast/since.ts'
import { ScherzoError } from '../../core/errors.ts'
import { isNamedBy } from '../../core/http/entity-tag.ts'
import { withoutQuery } from '../websocket/request-log.ts'
import type { Publishing } from '../hub.ts'
import { Callers } from './callers.ts'
import { readHistoryQuery } from './history-request.ts'
import { beforeHubOf, checkOptions } from './options.ts'
import type { HistoryRouteOptions } from './options.ts'
import { refusalFor } from './request-error.ts'

/** @throws SCZ_ERR_HTTP_OPTION */
export function addHistoryRoute(
  fastify: FastifyInstance,
  path: string,
  given: HistoryRouteOptions,
  publishing: Publishing,
  rules: ChannelRules
): void {
  checkOptions(path, given, ['authenticate', 'authorize', 'maxMessages'])
  if (!/:channel(?:\/|$)|\*$/.test(path))
    throw new ScherzoError('SCZ_ERR_HTTP_OPTION', [
      'path',
      path,
      'use one with :channel, such as /history/:channel'
    ])
  const { maxMessages = MAX_MESSAGES } = given
  const callers = new Callers(given, rules)

  const read = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    try {
      const { channel, '*': rest = '' } = request.params as Readonly<Record<string, string | undefined>>
      const name = channel ?? rest
      const options = readHistoryQuery(request.query, maxMessages)
      await callers.check(request, name, 'subscribe')
      const history = await publishing.history(name, { ...options, maxBytes: MAX_BYTES })
      const { epoch, offset, messages } = history
      const { since } = options
      if (since !== undefined && since.epoch !== epoch)
        throw new ScherzoError('SCZ_ERR_HTTP_EPOCH', [since.epoch, epoch])
      const tag = tagOf(history, options)
      // Whoever kept an answer may use it again once it has asked whether it still holds.
      reply.headers({ 'cache-control': 'private, no-cache', etag: tag })
      if (isNamedBy(tag, request.headers['if-none-match'] ?? '')) return reply.code(304).send()
      const next = `${epoch}:${messages.at(-1)?.offset ?? offset}`
      return { epoch, offset, next, messages: messages.map(shownOf), lost: lostOf(history, since) }
    } catch (error) {
      throw refusalFor(error, reply)
    }
  }

  fastify.route({
    ...beforeHubOf(given),
    method: 'GET',
    url: path,
    ...(given.authenticate !== 'none' && { logSerializers: { req: withoutQuery } }),
    preParsing: (request, reply) => callers.admit(request, reply),
    handler: read
  })
}

const MAX_MESSAGES = 1000
/** Of data in one answer, but one message in any case: who wants more asks again behind the last one. */
const MAX_BYTES = 4 * 2 ** 20

/**
 * The strong tag (RFC 9110 section 8.8.3) of an answer: the place of the channel's last message, which a client can also make of what
 * it has from elsewhere. Where older messages are gone that would else be in it, the first that is left has a part in it.
 */
function tagOf({ epoch, offset, messages }: HubHistory, { since, limit }: HistoryOptions): string {
  const first = messages[0]?.offset ?? offset + 1
  const wanted = since === undefined ? Math.max(1, offset - limit! + 1) : since.offset + 1
  return first > wanted ? `"${epoch}:${offset}:${first}"` : `"${epoch}:${offset}"`
}

function shownOf({ offset, data, isBinary, time, key }: HistoryMessage): unknown {
  const content = isBinary ? { base64: (data as Buffer).toString('base64') } : { data }
  return { offset, ...content, time, ...(key !== null && { key }) }
}

/** What came behind `since` and can't be had any more. */
function lostOf({ offset, messages }: HubHistory, since: Since | undefined): Lost | null {
  if (since === undefined) return null
  const first = messages[0]?.offset ?? offset + 1
  return first > since.offset + 1 ? { from: since.offset + 1, to: first - 1 } : null
}
