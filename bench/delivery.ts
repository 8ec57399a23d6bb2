// npm run bench:delivery -- --help

import { help, parseDeliveryOptions } from './delivery/options.ts'
import { deliverySuite } from './delivery/suite.ts'
import { runCommand } from './harness/command-line.ts'

await runCommand(parseDeliveryOptions, help, deliverySuite)
