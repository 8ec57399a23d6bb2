import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from './ledger.ts'

test('a message whose answer was lost may be there or not', () => {
  const ledger = new Ledger()
  ledger.acknowledge(ledger.attempt('ada', 'room'), 1)
  ledger.attempt('ada', 'room')
  ledger.attempt('ada', 'room')
  ledger.witness('room', 2, 1, 'bob')
  ledger.finish()
  deepEqual(ledger.faults, [])
})

test('what was answered has to be there, and what was refused may not', () => {
  const ledger = new Ledger()
  const refused = ledger.attempt('ada', 'room')
  refused.outcome = 'refused'
  ledger.witness('room', 1, 0, 'bob')
  const answered = ledger.attempt('ada', 'room')
  answered.outcome = 'published'
  answered.offset = 2
  ledger.finish()
  deepEqual(ledger.faults, [
    '0 was refused, and is in room at 1',
    '1 is not at offset 2 of room, where its publisher was told it is'
  ])
})

test('two who see different messages at one offset, and offsets that nobody has seen, are wrong', () => {
  const ledger = new Ledger()
  for (let count = 0; count < 3; count++) ledger.attempt(`app ${count}`, 'room')
  ledger.witness('room', 1, 0, 'bob')
  ledger.witness('room', 1, 1, 'cyd')
  ledger.witness('room', 3, 1, 'cyd')
  ledger.finish()
  deepEqual(ledger.faults, [
    'cyd: room has 1 at offset 1, and had 0 there',
    'Nobody has seen offset 2 of room'
  ])
})

test('a message that is there twice, out of its order, or behind one that is not, is wrong', () => {
  const ledger = new Ledger()
  for (let count = 0; count < 3; count++) ledger.attempt('ada', 'room')
  ledger.witness('room', 1, 2, 'bob')
  ledger.witness('room', 2, 1, 'bob')
  ledger.witness('room', 3, 1, 'bob')
  ledger.finish()
  deepEqual(ledger.faults, [
    '1 is in room twice, the second time at 3',
    '1 of ada was published, and 0 before it was not',
    '2 of ada was published, and 0 before it was not',
    '2 of ada is at 1 of room, and an earlier one at 3'
  ])
})
