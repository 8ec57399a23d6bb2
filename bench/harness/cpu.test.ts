import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCoreStat, parseProcessStat, readCpu, readResidentMemory } from './cpu.ts'

test('reads user and system time behind a name with spaces and parentheses', () => {
  const stat = '8817 (odd) name)) R 8813 8813 4498 0 -1 4194560 10543 0 14 0 62 45 7 8 20 0 7 0 323570'
  const { user, system } = parseProcessStat(stat)
  assert.equal(user / system, 62 / 45)
})

test('a core was busy in every state but idle and waiting for a disk', () => {
  const busy = parseCoreStat('cpu0 1 2 4 9999 9999 8 16 32 0 0')
  assert.equal(busy, parseCoreStat('cpu0 63 0 0 0 0 0 0 0 0 0'))
})

test('a line without figures is refused', () => {
  assert.throws(() => parseProcessStat(''), /No CPU time/)
})

test('reads the CPU time and memory of a running process', { skip: process.platform !== 'linux' }, () => {
  assert.ok(readCpu(process.pid).user >= 0)
  assert.ok(readResidentMemory(process.pid) > 1_000_000)
})
