// npm run bench -- --help

import { parseArgs } from 'node:util'
import { parseBroadcastOptions } from './broadcast/options.ts'
import { broadcastSuite } from './broadcast/suite.ts'
import { count, someOf } from './harness/options.ts'
import { obstacleTo, runSuite, type Suite } from './harness/suite.ts'
import { parseDeliveryOptions } from './delivery/options.ts'
import { BOTH, COMPRESSED, PLAIN, WS } from './delivery/modes.ts'
import { deliverySuite } from './delivery/suite.ts'
import { parseOptions } from './http/options.ts'
import { httpSuite } from './http/suite.ts'
import { parseInstancesOptions } from './instances/options.ts'
import { instancesSuite } from './instances/suite.ts'
import { parseModeOptions } from './modes/options.ts'
import { modesSuite } from './modes/suite.ts'
import { type NamedResult, writeResults } from './results-page/page.ts'

type Log = (line: string) => void

/** A benchmark in the form that takes a few minutes. */
interface ShortForm {
  name: string
  /** Of its own command. */
  args: string
  suite: (args: string[], log: Log) => Suite
}

const DELIVERY_MODES = [PLAIN, COMPRESSED, BOTH, WS].join()

const shortForms: readonly ShortForm[] = [
  {
    name: 'http',
    args: '--only plaintext,json,mounted --connections 64,1024,8192 --servers scherzo,fastify,bun --seconds 1.5 --warm-up 0.7',
    suite: (args, log) => httpSuite(parseOptions(args), log)
  },
  {
    name: 'modes',
    args: '--only mixed,light --burns 50 --connections 256 --seconds 2 --warm-up 1',
    suite: (args) => modesSuite(parseModeOptions(args))
  },
  {
    name: 'broadcast',
    args: '--only throughput,channels --subscribers 10,100,1000 --channel-subscribers 6000 --servers scherzo,bun,ws --seconds 2 --warm-up 1',
    suite: (args, log) => broadcastSuite(parseBroadcastOptions(args), log)
  },
  {
    name: 'delivery',
    args: `--only crowd --bytes 2000 --seconds 3 --warm-up 1.5 --modes "${DELIVERY_MODES}"`,
    suite: (args) => deliverySuite(parseDeliveryOptions(args))
  },
  {
    name: 'instances',
    args: '--only throughput --sites redis --subscribers 10,500 --seconds 2 --warm-up 1',
    suite: (args, log) => instancesSuite(parseInstancesOptions(args), log)
  }
]

const help = `Usage: npm run bench -- [options]

Runs the short form of all benchmarks, and writes a page with charts, and every sample.

  --repeats N    Measurements of every server in every case. Default: 2
  --only LIST    ${shortForms.map(({ name }) => name).join(',')}. Default: all
  --out FOLDER   Where to write to; what was there goes. Default: bench/results
  --help         Shows this

The benchmarks have their own commands, with more cases and longer windows: npm run bench:http -- --help`

try {
  await run(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(args: string[]): Promise<void> {
  const names = shortForms.map(({ name }) => name)
  const { values } = parseArgs({
    args,
    options: {
      repeats: { type: 'string', default: '2' },
      only: { type: 'string', default: names.join() },
      out: { type: 'string', default: 'bench/results' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return console.log(help)
  const only = someOf(names)('--only', values.only)
  await measure(only, count('--repeats', values.repeats), values.out)
}

async function measure(only: readonly string[], repeats: number, folder: string): Promise<void> {
  const measured: NamedResult[] = []
  const leftOut = new Map<string, string>()
  for (const { name, args, suite: suiteOf } of shortForms.filter((each) => only.includes(each.name))) {
    const suite = suiteOf(wordsOf(args), log)
    const obstacle = obstacleTo(suite)
    if (obstacle !== null) {
      log(`${name} is left out: ${obstacle}`)
      leftOut.set(name, obstacle)
      continue
    }
    const command = `npm run bench:${name} -- ${args} --repeats ${repeats}`
    measured.push({ name, command, result: await runSuite(suite, repeats, log) })
  }
  writeResults(folder, measured, leftOut)
  if (measured.some(({ result }) => result.failures.length > 0)) process.exitCode = 1
  log(`The results are in ${folder}/README.md`)
}

function log(line: string): void {
  console.error(line)
}

/** As a shell would take them apart: double quotes keep blanks together. */
function wordsOf(args: string): string[] {
  return Array.from(args.matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => quoted ?? word)
}
