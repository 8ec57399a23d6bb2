import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { nameOf, parseBrokerAddress, withoutCredentials } from './address.ts'

test('an address is read with its nodes, credentials and what else it names', () => {
  deepEqual(parseBrokerAddress('rediss://ada:p%40s%2Fs@[::1]:6380/2'), {
    kind: 'redis',
    isTls: true,
    nodes: [{ host: '::1', port: 6380 }],
    username: 'ada',
    password: 'p@s/s',
    database: 2,
    master: null
  })
  deepEqual(parseBrokerAddress('redis+sentinel://:secret@a,b:26380/main'), {
    kind: 'redis+sentinel',
    isTls: false,
    nodes: [
      { host: 'a', port: 26_379 },
      { host: 'b', port: 26_380 }
    ],
    username: null,
    password: 'secret',
    database: 0,
    master: 'main'
  })
  equal(parseBrokerAddress('nats://token@a')?.password, 'token')
})

test('an address that makes no sense is none', () => {
  for (const text of [
    '',
    'redis:',
    'redis://',
    'redis://a b',
    'redis://a:70000',
    'redis://pass@a',
    'redis://a/x',
    'ftp://a'
  ])
    equal(parseBrokerAddress(text), null, text)
})

test('nobody reads a password in a message', () => {
  equal(nameOf(parseBrokerAddress('redis+cluster://ada:secret@a,b:1')!), 'redis+cluster://a:6379,b:1')
  for (const text of [
    'redis://ada:secret@a',
    'redis://ada:sec/ret@b@a:x',
    'ada:secret@a',
    'REDIS://:secret@'
  ])
    equal(
      /secret|sec|ret|ada/i.test(withoutCredentials(text).replace('REDIS', '').replace('redis', '')),
      false,
      text
    )
  equal(withoutCredentials('redis://a'), 'redis://a')
})
