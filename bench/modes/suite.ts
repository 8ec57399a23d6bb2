import { versionOf } from '../harness/machine.ts'
import type { Suite } from '../harness/suite.ts'
import { modeBarsFor, modeCasesFor } from './cases.ts'
import type { ModeOptions } from './options.ts'

export function modesSuite(options: ModeOptions): Suite {
  return {
    programs: ['wrk'],
    connections: Math.max(...options.connections),
    versions: { 'Node.js': process.version, Fastify: versionOf('node_modules/fastify') },
    cases: modeCasesFor(options),
    bars: modeBarsFor(options)
  }
}
