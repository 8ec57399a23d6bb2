import { versionOf } from '../harness/machine.ts'
import type { Suite } from '../harness/suite.ts'
import { barsFor, casesFor } from './cases.ts'
import type { DeliveryOptions } from './options.ts'

export function deliverySuite(options: DeliveryOptions): Suite {
  return {
    programs: [],
    connections: options.subscribers,
    versions: { 'Node.js': process.version, Scherzo: versionOf('.'), ws: versionOf('node_modules/ws') },
    cases: casesFor(options),
    bars: barsFor(options)
  }
}
