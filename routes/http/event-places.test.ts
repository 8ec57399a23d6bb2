import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { placesText, readPlaces } from './event-places.ts'

test('the place in one channel is read with its name or without', () => {
  const places = new Map([['a', { epoch: 'e:1', offset: 12 }]])
  deepEqual(readPlaces('e:1:12', ['a']), places)
  deepEqual(readPlaces('a=e:1:12', ['a']), places)
})

test('places in several channels, each of its own epoch, come back as they were sent, whatever their names', () => {
  const places = new Map([
    ['a', { epoch: 'e', offset: 0 }],
    ['b&c=d:%', { epoch: 'f', offset: 7 }],
    ['zürich', { epoch: 'e:2', offset: 9007199254740991 }]
  ])
  const text = placesText(places)
  equal(text, 'a=e:0&b%26c%3Dd%3A%25=f:7&z%C3%BCrich=e:2:9007199254740991')
  deepEqual(readPlaces(text, [...places.keys()]), places)
})

test('channels that the stream does not have are left out', () => {
  deepEqual(readPlaces('a=e:1&b=e:2', ['b', 'c']), new Map([['b', { epoch: 'e', offset: 2 }]]))
})

test('a place that leaves open of which channel it is can not be read', () => {
  equal(readPlaces('e:12', ['a', 'b']), null)
})

for (const text of [
  '',
  'e',
  ':1',
  'e:',
  'e:x',
  'e:-1',
  'e:1.5',
  '=e:1',
  'a',
  'a=',
  'a=1',
  'a=:1',
  'a=e:1&',
  '%=e:1',
  'e:9007199254740992'
])
  test(`${JSON.stringify(text)} is no place`, () => equal(readPlaces(text, ['a']), null))
