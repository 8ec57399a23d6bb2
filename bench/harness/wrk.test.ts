import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWrkReport, toSample, wrkCommand } from './wrk.ts'

const load = { path: '/', connections: 64, pipelined: 16, warmUpSeconds: 1, seconds: 2 }

// A server that used a whole core for two seconds, 50 of 200 ticks of it outside the kernel.
const output = `Running 4s test @ http://127.0.0.1:18081/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    31.71ms   96.91ms 804.05ms   93.48%
    Req/Sec    78.94k    24.42k  111.84k    82.50%
  313568 requests in 4.00s, 48.44MB read
Requests/sec:  78366.04
Transfer/sec:     12.11MB
{"begin":{"seconds":10.5,"sent":100000,"serverStat":"7 (node) R 1 1 1 0 -1 0 0 0 0 0 100 200 0 0 20","coreStat":"cpu0 1000 0 2000 9000 40 0 500 60 0 0"},"finish":{"seconds":12.5,"sent":300000,"serverStat":"7 (node) R 1 1 1 0 -1 0 0 0 0 0 150 350 0 0 20","coreStat":"cpu0 1050 0 2100 9000 40 0 550 60 0 0"},"connected":64,"responses":313568,"connectErrors":0,"readErrors":0,"writeErrors":0,"timeouts":0,"badStatuses":0,"p50":7.146,"p99":562.519}
`

test("reads the window's figures behind what wrk prints itself", () => {
  const report = parseWrkReport(output)
  assert.equal(report.finish.sent - report.begin.sent, 200_000)
  assert.equal(report.p99, 562.519)
})

test('gives the rate and CPU time per request of the window', () => {
  const { figures, warnings } = toSample(parseWrkReport(output), load)
  assert.equal(figures['rate'], 100_000)
  assert.equal((figures['cpuSystem'] ?? 0) / (figures['cpuUser'] ?? 0), 3)
  assert.deepEqual(warnings, [])
})

test('reports socket errors', () => {
  const report = { ...parseWrkReport(output), readErrors: 3 }
  assert.deepEqual(toSample(report, load).warnings, ['socket errors: 0 connect, 3 read, 0 write, 0 timeout'])
})

test('gives the latency of requests sent one by one only', () => {
  const report = parseWrkReport(output)
  assert.equal(toSample(report, { ...load, pipelined: 1 }).figures['p50'], 7.146)
  assert.equal('p50' in toSample(report, load).figures, false)
})

test('reports connections that were not accepted before the window', () => {
  const report = { ...parseWrkReport(output), connected: 63 }
  assert.deepEqual(toSample(report, load).warnings, ['only 63 of 64 connections were accepted'])
})

test('fails when statuses are bad', () => {
  assert.throws(() => toSample({ ...parseWrkReport(output), badStatuses: 1 }, load), /neither 2xx nor 3xx/)
})

test('fails when responses are missing', () => {
  // One less than all requests sent but two batches on each connection.
  const report = { ...parseWrkReport(output), responses: 300_000 - 2 * 64 * 16 - 1 }
  assert.throws(() => toSample(report, load), /saw only/)
})

test('fails without a report, and without a window', () => {
  assert.throws(() => parseWrkReport('unable to connect'), /no report/)
  assert.throws(() => parseWrkReport('{"begin":null,"finish":null}'), /no window/)
})

test('tells wrk and the script behind it what to do, in whole seconds for wrk', () => {
  assert.equal(
    wrkCommand({ ...load, seconds: 1.5 }, 3000, 42).join(' '),
    'wrk -t 1 -c 64 -d 23s --timeout 30s --latency -s bench/harness/wrk.lua http://127.0.0.1:3000/' +
      ' -- 64 16 1.5 20 42 cpu0'
  )
})
