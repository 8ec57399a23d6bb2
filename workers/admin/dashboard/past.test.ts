import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { Census } from '../census.ts'
import { pointOf } from '../point.ts'
import type { Point } from '../point.ts'
import { fakeView } from '../../testing/fake-view.ts'
import { PastPoints } from './past.js'

const snapshot = new Census(fakeView()).take()

function pointsFrom(first: number, last: number): Point[] {
  return Array.from({ length: last - first + 1 }, (_, index) =>
    pointOf(first + index, 1000 + first + index, 1, snapshot, snapshot)
  )
}

const numbersOf = (past: PastPoints): number[] => past.points.map(({ number }) => number)

test('a history is the whole past, or goes on where the page had stopped', () => {
  const past = new PastPoints()
  past.take({ server: 1, isWhole: true, points: pointsFrom(1, 3) })
  past.take({ server: 1, isWhole: false, points: pointsFrom(4, 5) })
  deepEqual(numbersOf(past), [1, 2, 3, 4, 5])
  past.take({ server: 1, isWhole: true, points: pointsFrom(2, 6) })
  deepEqual(numbersOf(past), [2, 3, 4, 5, 6])
})

test('another run of the server begins anew, though its numbers are lower', () => {
  const past = new PastPoints()
  past.take({ server: 1, isWhole: true, points: pointsFrom(50, 60) })
  past.take({ server: 2, isWhole: true, points: pointsFrom(1, 2) })
  deepEqual(numbersOf(past), [1, 2])
})

test('a point that came with the history is not taken twice', () => {
  const past = new PastPoints()
  past.take({ server: 1, isWhole: true, points: pointsFrom(1, 3) })
  past.take({ server: 1, isWhole: false, points: pointsFrom(3, 4) })
  deepEqual(numbersOf(past), [1, 2, 3, 4])
})

test('no more than five minutes are kept', () => {
  const past = new PastPoints()
  past.take({ server: 1, isWhole: true, points: pointsFrom(1, 300) })
  past.take({ server: 1, isWhole: false, points: pointsFrom(301, 400) })
  deepEqual([past.points.length, past.points[0]!.number], [300, 101])
})
