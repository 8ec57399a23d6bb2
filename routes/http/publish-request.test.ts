import { deepEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { readHistoryQuery } from './history-request.ts'
import { readPublishRequest } from './publish-request.ts'

test('one message, several channels and several messages are read', () => {
  deepEqual(readPublishRequest({ channel: 'a', data: null }, 2), {
    items: [{ channel: 'a', data: null, options: {} }],
    isSingle: true
  })
  const options = { key: 'k', idempotencyKey: 'i' }
  deepEqual(readPublishRequest({ channels: ['a', 'b'], data: 0, ...options }, 2), {
    items: [
      { channel: 'a', data: 0, options },
      { channel: 'b', data: 0, options }
    ],
    isSingle: false
  })
  deepEqual(readPublishRequest({ messages: [{ channel: 'a', data: [1], key: '' }] }, 2), {
    items: [{ channel: 'a', data: [1], options: { key: '' } }],
    isSingle: false
  })
})

const wrong: readonly [unknown, string][] = [
  [undefined, 'the body has to be a JSON object'],
  [null, 'the body has to be a JSON object'],
  ['text', 'the body has to be a JSON object'],
  [[], 'the body has to be a JSON object'],
  [{}, 'channel has to be a string'],
  [{ channel: 7, data: 1 }, 'channel has to be a string'],
  [{ channel: 'a' }, 'data is missing'],
  [{ channel: 'a', data: 1, key: null }, 'key has to be a string'],
  [{ channel: 'a', data: 1, idempotencyKey: 7 }, 'idempotencyKey has to be a string'],
  [{ channel: 'a', data: 1, keys: 'x' }, 'nothing is called "keys"'],
  [{ channel: 'a', channels: ['b'], data: 1 }, 'give either channel or channels'],
  [{ channels: [], data: 1 }, 'channels has to be a list of 1 to 2'],
  [{ channels: ['a', 'b', 'c'], data: 1 }, 'channels has to be a list of 1 to 2'],
  [{ channels: 'a', data: 1 }, 'channels has to be a list of 1 to 2'],
  [{ channels: [7], data: 1 }, 'channel has to be a string'],
  [{ messages: {} }, 'messages has to be a list of 1 to 2'],
  [{ messages: [] }, 'messages has to be a list of 1 to 2'],
  [{ messages: [1] }, 'messages[0]: a message has to be an object'],
  [{ messages: [{ channel: 'a', data: 1 }, { channel: 'b' }] }, 'messages[1]: data is missing'],
  [{ messages: [{ channels: ['a'], data: 1 }] }, 'messages[0]: nothing is called "channels"'],
  [{ messages: [], data: 1 }, 'beside messages, nothing is called "data"']
]

for (const [body, problem] of wrong) {
  test(`${JSON.stringify(body)} can not be published: ${problem}`, () => {
    throws(() => readPublishRequest(body, 2), {
      code: 'SCZ_ERR_HTTP_BODY',
      statusCode: 400,
      message: `Cannot publish this: ${problem}`
    })
  })
}

test('a query has a place and a limit, or neither', () => {
  deepEqual(readHistoryQuery({}, 1000), { limit: 100 })
  deepEqual(readHistoryQuery({}, 10), { limit: 10 })
  deepEqual(readHistoryQuery({ since: 'a:b:12', limit: '7' }, 10), {
    since: { epoch: 'a:b', offset: 12 },
    limit: 7
  })
  for (const limit of ['0', '11', '-1', '1.5', 'x', '', ['1', '2']])
    throws(() => readHistoryQuery({ limit }, 10), {
      code: 'SCZ_ERR_HTTP_QUERY',
      message: 'Invalid "limit" in the query: use a whole number from 1 to 10'
    })
  for (const since of [
    '',
    '12',
    ':12',
    'e:',
    'e:x',
    'e:-1',
    'e:1.5',
    'e:99999999999999999',
    ['e:1', 'e:2'],
    'x'.repeat(101) + ':1'
  ])
    throws(() => readHistoryQuery({ since }, 10), { code: 'SCZ_ERR_HTTP_QUERY' })
})
