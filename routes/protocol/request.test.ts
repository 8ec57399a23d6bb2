import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { ScherzoError } from '../../core/errors.ts'
import { readJob } from './actions/table.ts'
import { isAnswered } from './answers.ts'
import { readRequest } from './request.ts'

test('a request has its id and all its fields', () => {
  deepEqual(readRequest(Buffer.from('{"id":1,"action":"x","a":[1]}'), false), {
    id: 1,
    fields: { id: 1, action: 'x', a: [1] }
  })
  equal(readRequest(Buffer.from('{"id":9007199254740991}'), false).id, Number.MAX_SAFE_INTEGER)
})

for (const text of ['', 'x', '{', '[]', '"x"', '{"id":-1}', '{"id":1.5}', '{"id":1e400}', '\ufeff{"id":1}']) {
  test(`${JSON.stringify(text)} is no request`, () => {
    throws(() => readRequest(Buffer.from(text), false), { code: 'SCZ_ERR_PROTOCOL_MESSAGE' })
  })
}

test('whatever the fields of a request are, it makes sense or has an error that clients may see', () => {
  const values: readonly unknown[] = [
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    '',
    'room:1',
    '\ud800',
    [],
    {},
    { toString: 1 },
    { epoch: 'e' }
  ]
  const actions = [
    'subscribe',
    'unsubscribe',
    'publish',
    'history',
    'presence',
    'renew',
    'ping',
    'authenticate',
    'x',
    null
  ]
  const names = ['channel', 'since', 'presence', 'data', 'key', 'idempotencyKey', 'limit', 'token']
  let refused = 0
  for (const action of actions) {
    for (const name of names) {
      for (const value of values) {
        try {
          readJob({ action, channel: 'room:1', data: 1, token: 't', [name]: value })
        } catch (error) {
          equal(error instanceof ScherzoError && isAnswered(error), true, String(error))
          refused++
        }
      }
    }
  }
  equal(refused > 100, true)
})
