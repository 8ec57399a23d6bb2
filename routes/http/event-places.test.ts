import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { placesText, readPlaces } from './event-places.ts'

test('the place in one channel is read with its name or without', () => {
  const places = new Map([['a', { epoch: 'e:1', offset: 12 }]])
  deepEqual(readPlaces('e:1:12', ['a']), places)
  deepEqual(readPlaces('e:1:a=12', ['a']), places)
})

test('places in several channels come back as they were sent, whatever their names', () => {
  const offsets = new Map([
    ['a', 0],
    ['b&c=d:%', 7],
    ['zürich', 9007199254740991]
  ])
  const text = placesText('e', offsets)
  equal(text, 'e:a=0&b%26c%3Dd%3A%25=7&z%C3%BCrich=9007199254740991')
  deepEqual(
    readPlaces(text, [...offsets.keys()]),
    new Map(Array.from(offsets, ([channel, offset]) => [channel, { epoch: 'e', offset }]))
  )
})

test('channels that the stream does not have are left out', () => {
  deepEqual(readPlaces('e:a=1&b=2', ['b', 'c']), new Map([['b', { epoch: 'e', offset: 2 }]]))
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
  'e:=1',
  'e:a',
  'e:a=',
  'e:a=1&',
  'e:%=1',
  'e:9007199254740992'
])
  test(`${JSON.stringify(text)} is no place`, () => equal(readPlaces(text, ['a']), null))
