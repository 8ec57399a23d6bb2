// npm run bench:modes -- --help

import { runCommand } from './harness/command-line.ts'
import { help, parseModeOptions } from './modes/options.ts'
import { modesSuite } from './modes/suite.ts'

await runCommand(parseModeOptions, help, modesSuite)
