import type { HistoryAnswer } from './history.ts'

/**
 * An answer on its way to another thread. One string and a few numbers are copied faster than many objects: 100 messages of 100
 * bytes take 14 µs from one port to the other, as objects 45 µs (Node 26.10, 2026-11).
 */
export interface PackedAnswer {
  readonly epoch: string
  readonly offset: number
  readonly first: number
  readonly position: number
  /** The data of all messages, one behind the other. */
  readonly data: string
  /** Of each message: length of its data, whether it is text, time. */
  readonly numbers: Float64Array
  /** By the index of the message. */
  readonly keys: ReadonlyMap<number, string> | null
}

export function packAnswer({ epoch, offset, first, position, messages }: HistoryAnswer): PackedAnswer {
  const numbers = new Float64Array(messages.length * NUMBERS)
  const keys = new Map<number, string>()
  for (const [index, { data, isText, key, time }] of messages.entries()) {
    numbers[index * NUMBERS] = data.length
    numbers[index * NUMBERS + 1] = Number(isText)
    numbers[index * NUMBERS + 2] = time
    if (key !== null) keys.set(index, key)
  }
  const data = messages.map((message) => message.data).join('')
  return { epoch, offset, first, position, data, numbers, keys: keys.size === 0 ? null : keys }
}

export function unpackAnswer({
  epoch,
  offset,
  first,
  position,
  data,
  numbers,
  keys
}: PackedAnswer): HistoryAnswer {
  let at = 0
  const messages = Array.from({ length: numbers.length / NUMBERS }, (_, index) => {
    const start = at
    at += numbers[index * NUMBERS]!
    const isText = numbers[index * NUMBERS + 1] === 1
    const time = numbers[index * NUMBERS + 2]!
    return { data: data.slice(start, at), isText, key: keys?.get(index) ?? null, time }
  })
  return { epoch, offset, first, position, messages }
}

const NUMBERS = 3
