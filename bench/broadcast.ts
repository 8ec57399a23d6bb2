// npm run bench:broadcast -- --help

import { help, parseBroadcastOptions } from './broadcast/options.ts'
import { broadcastSuite } from './broadcast/suite.ts'
import { runCommand } from './harness/command-line.ts'

await runCommand(parseBroadcastOptions, help, broadcastSuite)
