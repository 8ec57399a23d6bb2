import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { packAnswer, unpackAnswer } from './packed-answer.ts'

test('an answer is the same when it has been sent to another thread', () => {
  const messages = [
    { data: '{"a":1}', isText: true, key: null, time: 1_700_000_000_000 },
    { data: '', isText: false, key: 'é', time: 1_700_000_000_000.5 },
    { data: '\u00ff\u0000', isText: false, key: '', time: 0 }
  ]
  for (const count of [0, 1, 3]) {
    const answer = { epoch: 'e', offset: 9, first: 7, position: -3, messages: messages.slice(0, count) }
    deepEqual(unpackAnswer(structuredClone(packAnswer(answer))), answer)
  }
})
