import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ChannelRules } from '../../core/broadcast/channel-rules.ts'
import type { Published } from '../../core/broadcast/hub.ts'
import { rateOf } from '../websocket/limits.ts'
import { withoutQuery } from '../websocket/request-log.ts'
import type { Publishing } from '../hub.ts'
import { CallerRates } from './caller-rates.ts'
import { Callers } from './callers.ts'
import { beforeHubOf, checkOptions } from './options.ts'
import type { PublishRouteOptions } from './options.ts'
import { readPublishRequest } from './publish-request.ts'
import type { PublishItem } from './publish-request.ts'
import { listedError, refusalFor } from './request-error.ts'
import type { ListedError } from './request-error.ts'

/** What became of one message of several. */
type Result = { readonly channel: string } & (Published | { readonly error: ListedError })

/** @throws SCZ_ERR_HTTP_OPTION */
export function addPublishRoute(
  fastify: FastifyInstance,
  path: string,
  given: PublishRouteOptions,
  publishing: Publishing,
  rules: ChannelRules
): void {
  checkOptions(path, given, ['authenticate', 'authorize', 'maxMessages', 'messagesPerSecond', 'messageBurst'])
  const { maxMessages = MAX_MESSAGES, messagesPerSecond = 0 } = given
  const callers = new Callers(given, rules)
  const rate = rateOf(messagesPerSecond, given.messageBurst ?? 2 * messagesPerSecond)
  const rates = rate === null ? null : new CallerRates(rate)

  const check = async (request: FastifyRequest, { channel }: PublishItem): Promise<void> => {
    rates?.count(callers.identityOf(request)?.id ?? request.ip)
    await callers.check(request, channel, 'publish')
  }

  const publish = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    try {
      const { items, isSingle } = readPublishRequest(request.body, maxMessages)
      const [only] = items
      if (!isSingle || only === undefined) return { results: await publishAll(request, items) }
      await check(request, only)
      return await publishing.publish(only.channel, only.data, only.options)
    } catch (error) {
      throw refusalFor(error, reply)
    }
  }

  /** In their order, but no more at a time than have room: the data of a message may go to many channels. */
  const publishAll = async (request: FastifyRequest, items: readonly PublishItem[]): Promise<Result[]> => {
    const results: Result[] = []
    for (let at = 0; at < items.length; at += AT_ONCE) {
      const some = items.slice(at, at + AT_ONCE)
      const checks = await Promise.allSettled(some.map((item) => check(request, item)))
      const published = some.map((item, index) => {
        const checked = checks[index]!
        if (checked.status === 'rejected') return Promise.reject(checked.reason)
        return publishing.publish(item.channel, item.data, item.options)
      })
      for (const [index, outcome] of (await Promise.allSettled(published)).entries()) {
        const { channel } = some[index]!
        if (outcome.status === 'fulfilled') results.push({ channel, ...outcome.value })
        else results.push({ channel, error: listedError(outcome.reason, request) })
      }
    }
    return results
  }

  fastify.route({
    ...beforeHubOf(given),
    method: 'POST',
    url: path,
    // The query may have a token.
    ...(given.authenticate !== 'none' && { logSerializers: { req: withoutQuery } }),
    preParsing: (request, reply) => callers.admit(request, reply),
    handler: publish
  })
}

const MAX_MESSAGES = 100
const AT_ONCE = 16
