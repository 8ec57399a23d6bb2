import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '../../index.ts'
import { conformanceCases } from './cases.ts'
import { probeAll } from './probe.ts'
import type { Finding } from './probe.ts'

// Of 159 scored. The other 16 warn: Node serves what the RFC lets it serve, or the answer is the app's to give.
const leastPasses = 143

let withFastLane: Finding[] = []
let withoutFastLane: Finding[] = []

before(async () => {
  const both = await Promise.all([findings(true), findings(false)])
  ;[withFastLane, withoutFastLane] = both
})

test('the cases are the 213 of the probe and two that it retired, 159 of them scored', () => {
  assert.equal(new Set(conformanceCases.map(({ id }) => id)).size, 215)
  assert.equal(conformanceCases.filter(({ scored }) => scored).length, 159)
})

test('no scored case fails with the fast lane', () => {
  assert.deepEqual(failures(withFastLane), [])
})

test('no scored case fails without the fast lane', () => {
  assert.deepEqual(failures(withoutFastLane), [])
})

test(`at least ${leastPasses} scored cases pass`, () => {
  for (const lane of [withFastLane, withoutFastLane]) {
    const scored = lane.filter(({ scored }) => scored)
    const others = scored.filter(({ verdict }) => verdict !== 'pass').map(describe)
    assert.ok(scored.length - others.length >= leastPasses, `These did not pass:\n${others.join('\n')}`)
  }
})

test('both lanes get the same verdict in every case', () => {
  assert.deepEqual(withFastLane.map(verdict), withoutFastLane.map(verdict))
})

async function findings(fastLane: boolean): Promise<Finding[]> {
  const app = fileURLToPath(new URL('app.ts', import.meta.url))
  const server = await serve(app, { port: 0, workers: 1, fastLane })
  try {
    return await probeAll(server.address, conformanceCases)
  } finally {
    await server.close()
  }
}

function failures(lane: readonly Finding[]): string[] {
  return lane.filter(({ scored, verdict }) => scored && verdict === 'fail').map(describe)
}

function describe({ requirement, id, saw }: Finding): string {
  return `${requirement} ${id}: ${saw}`
}

function verdict({ id, verdict }: Finding): string {
  return `${id} ${verdict}`
}
