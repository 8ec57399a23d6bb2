import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { age, count, duration, percent, rate, short, size, tick } from './format.js'

test('counts are exact', () => {
  deepEqual([0, 12, 1_234_567, null].map(count), ['0', '12', '1,234,567', '–'])
})

test('what changes every second has three digits, whatever its size', () => {
  deepEqual([0, 4, 0.25, 9.996, 12.34, 99.96, 123.4, 999.6, 1000, 4560, 17_800_000, 2e9].map(short), [
    '0',
    '4',
    '0.25',
    '10.0',
    '12.3',
    '100',
    '123',
    '1.00k',
    '1k',
    '4.56k',
    '17.8M',
    '2G'
  ])
  deepEqual([1500, null].map(rate), ['1.50k/s', '–'])
})

test('the marks of an axis have no digits that say nothing', () => {
  deepEqual([0, 100, 1500, 1000, 1250, 12_500, 0.5, 20_000].map(tick), [
    '0',
    '100',
    '1.5k',
    '1k',
    '1.25k',
    '12.5k',
    '0.5',
    '20k'
  ])
})

test('durations have the unit that suits them', () => {
  deepEqual([0.000_025, 0.000_999_9, 0.0038, 0.25, 1.5, 60, null].map(duration), [
    '25 µs',
    '1.00 ms',
    '3.80 ms',
    '250 ms',
    '1.50 s',
    '60 s',
    '–'
  ])
})

test('sizes are in decimal units', () => {
  deepEqual([0, 999, 1500, 80_300_000, 2.5e9].map(size), ['0 B', '999 B', '1.50 kB', '80.3 MB', '2.50 GB'])
})

test('shares are whole percents', () => {
  deepEqual([0, 0.056, 1, null].map(percent), ['0 %', '6 %', '100 %', '–'])
})

test('ages have their two largest units', () => {
  deepEqual([0, 42.9, 312, 3600, 90_061, -1].map(age), [
    '0 s',
    '42 s',
    '5 min 12 s',
    '1 h 0 min',
    '1 d 1 h',
    '0 s'
  ])
})
