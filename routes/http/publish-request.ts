import { ScherzoError } from '../../core/errors.ts'
import type { PublishOptions } from '../../core/broadcast/hub.ts'

/** One message to one channel. */
export interface PublishItem {
  readonly channel: string
  readonly data: unknown
  readonly options: PublishOptions
}

export interface PublishRequest {
  readonly items: readonly PublishItem[]
  /** Whether the answer is that of the one message, and not a list. */
  readonly isSingle: boolean
}

/**
 * What a request asks to publish: `{ channel, data, key?, idempotencyKey? }`, the same with `channels`, or `{ messages: [...] }`.
 *
 * @param max the most messages, or channels
 * @throws SCZ_ERR_HTTP_BODY
 */
export function readPublishRequest(body: unknown, max: number): PublishRequest {
  if (!isObject(body)) throw wrong('the body has to be a JSON object')
  if ('messages' in body) {
    const { messages, ...rest } = body
    checkNames(rest, [], 'beside messages, ')
    const list = listOf(messages, 'messages', max)
    return { items: list.map((message, index) => itemOf(message, `messages[${index}]: `)), isSingle: false }
  }
  if (!('channels' in body)) return { items: [itemOf(body, '')], isSingle: true }
  const { channels, ...message } = body
  if ('channel' in message) throw wrong('give either channel or channels')
  const list = listOf(channels, 'channels', max)
  return { items: list.map((channel) => itemOf({ ...message, channel }, '')), isSingle: false }
}

const NAMES: readonly string[] = ['channel', 'data', 'key', 'idempotencyKey']

type Json = Readonly<Record<string, unknown>>

function itemOf(message: unknown, where: string): PublishItem {
  if (!isObject(message)) throw wrong(`${where}a message has to be an object`)
  checkNames(message, NAMES, where)
  const { channel, data, key, idempotencyKey } = message
  if (typeof channel !== 'string') throw wrong(`${where}channel has to be a string`)
  if (!('data' in message)) throw wrong(`${where}data is missing`)
  if (key !== undefined && typeof key !== 'string') throw wrong(`${where}key has to be a string`)
  if (idempotencyKey !== undefined && typeof idempotencyKey !== 'string')
    throw wrong(`${where}idempotencyKey has to be a string`)
  const options = {
    ...(key !== undefined && { key }),
    ...(idempotencyKey !== undefined && { idempotencyKey })
  }
  return { channel, data, options }
}

function listOf(value: unknown, name: string, max: number): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= max) return value
  throw wrong(`${name} has to be a list of 1 to ${max}`)
}

function checkNames(object: Json, names: readonly string[], where: string): void {
  for (const name of Object.keys(object)) {
    if (!names.includes(name))
      throw wrong(`${where}nothing is called "${name.slice(0, SHOWN).toWellFormed()}"`)
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(problem: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_HTTP_BODY', [problem])
}

const SHOWN = 40
