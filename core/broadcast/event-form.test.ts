import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { binaryFrame, textFrame } from '../websocket/frames.ts'
import { BROADCAST } from './data.ts'
import { Channel } from './channel.ts'
import { formatOf } from './format.ts'
import type { Format } from './format.ts'
import { Message, lostKey } from './message.ts'
import { Totals } from './totals.ts'
import { wrap } from './wrapping.ts'

const plain = { pace: null, isBinary: false, compression: null }
const one = formatOf({ ...plain, events: { hasIds: true } })
const several = formatOf({ ...plain, events: { hasIds: false } })

function messageIn(name: string, data: string | Uint8Array): Message {
  const channel = new Channel(name, null, new Totals())
  const isText = typeof data === 'string'
  const frame = channel.envelope.frame({ offset: 2 ** 32 + 7, isText, data: Buffer.from(data) })
  return new Message(channel, 1, 2 ** 32 + 7, null, frame, 0, 0, 'e')
}

function textIn(format: Format, name: string, data: string | Uint8Array): string {
  return String(messageIn(name, data).frameIn(format))
}

test('a message becomes an event whose id is its place', () => {
  equal(
    textIn(one, 'ü', '"ü"'),
    'id: e:4294967303\ndata: {"channel":"\\u00fc","offset":4294967303,"data":"ü"}\n\n'
  )
  equal(textIn(several, 'a', '1'), 'data: {"channel":"a","offset":4294967303,"data":1}\n\n')
})

test('bytes come in base64, and what is broadcast has no place', () => {
  const bytes = new Uint8Array([1, 2, 255])
  equal(
    textIn(one, 'ü', bytes),
    'id: e:4294967303\ndata: {"channel":"\\u00fc","offset":4294967303,"base64":"AQL/"}\n\n'
  )
  equal(textIn(one, BROADCAST, bytes), 'data: {"offset":4294967303,"base64":"AQL/"}\n\n')
  equal(textIn(one, BROADCAST, '1'), 'data: {"offset":4294967303,"data":1}\n\n')
})

test('no line break in JSON begins a field', () => {
  equal(
    textIn(several, 'a', '{\r\n"id":\r1}'),
    'data: {"channel":"a","offset":4294967303,"data":{\ndata: "id":\ndata: 1}}\n\n'
  )
})

test('an event is made once for all who follow the channel', () => {
  const message = messageIn('a', '1')
  equal(message.frameIn(one), message.frameIn(one))
  equal(formatOf({ ...plain, events: { hasIds: true } }), one)
})

test('what is sent to one identity is an event without an id', () => {
  equal(String(wrap(textFrame('{"data":{"lost":1}}'), one, null)), 'data: {"data":{"lost":1}}\n\n')
  equal(String(wrap(binaryFrame(Buffer.alloc(12)), one, null)), 'data: {"base64":"AAA="}\n\n')
})

test('what stands for lost messages is an event of that name, and its id is behind them in their epoch', () => {
  const channel = new Channel('a', null, new Totals())
  const frame = channel.envelope.lostFrame({ from: 4, to: 7 }, 'f', null)
  const lost = new Message(channel, 1, 7, lostKey('f', 7), frame, 0, 0, 'f')
  const data = '{"channel":"a","epoch":"f","lost":{"from":4,"to":7}}'
  equal(String(lost.frameIn(one)), `event: lost\nid: f:7\ndata: ${data}\n\n`)
  equal(String(lost.frameIn(several)), `event: lost\ndata: ${data}\n\n`)
})
