import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaseResult } from '../harness/case.ts'
import type { Sample } from '../harness/sample.ts'
import { chartsOf } from './charts.ts'

test('cases of several sizes make one curve, with a line for each server', () => {
  const [, curve, ...others] = chartsOf('http', [result(64, [100, 50]), result(1024, [200, 40])])
  assert.equal(others.length, 0)
  assert.equal(curve?.file, 'http-plaintext.svg')
  assert.equal(count(curve?.svg ?? '', '<polyline'), 2)
  assert.equal(count(curve?.svg ?? '', '<circle'), 4)
  for (const label of ['Ours', 'Peer', '64', '1,024', 'connections'])
    assert.match(curve?.svg ?? '', new RegExp(`>${label}<`))
})

test('ratios are drawn for every peer of every case, with a line at 1', () => {
  const [ratios] = chartsOf('http', [result(64, [100, 50])])
  assert.equal(ratios?.file, 'http-ratios.svg')
  assert.match(ratios?.svg ?? '', />Plaintext, 64, requests\/s \/ Peer</)
  assert.match(ratios?.svg ?? '', />2</)
  assert.equal(count(ratios?.svg ?? '', 'class="mark"'), 2)
})

test('a case of one size has its servers side by side', () => {
  const { case: benchCase, samples } = result(64, [100, 50])
  const { point: _point, ...single } = benchCase
  const [, chart] = chartsOf('http', [{ case: { ...single, name: 'JSON & <more>' }, samples }])
  assert.equal(chart?.file, 'http-json-more.svg')
  assert.match(chart?.svg ?? '', />JSON &amp; &lt;more>: requests\/s</)
})

test('a server that was left out is left out of the charts', () => {
  const alone = result(64, [100, 50])
  alone.samples.delete('Peer')
  const charts = chartsOf('http', [alone])
  assert.deepEqual(charts, [])
})

function result(x: number, rates: readonly [number, number]): CaseResult {
  const servers = ['Ours', 'Peer'].map((name) => ({ name, command: () => [] }))
  const samples = servers.map(({ name }, index): [string, Sample[]] => {
    return [name, [{ figures: { rate: rates[index]! }, warnings: [] }]]
  })
  return {
    case: {
      name: `Plaintext, ${x}`,
      point: { curve: 'plaintext', x, xTitle: 'connections' },
      load: 'wrk',
      answers: [],
      servers,
      columns: [],
      compared: [{ figure: 'rate', title: 'requests/s', digits: 0 }],
      measure: () => Promise.reject(new Error('it is measured already'))
    },
    samples: new Map(samples)
  }
}

function count(text: string, part: string): number {
  return text.split(part).length - 1
}
