// npm run bench:http -- --help

import { runCommand } from './harness/command-line.ts'
import { help, parseOptions } from './http/options.ts'
import { httpSuite } from './http/suite.ts'

await runCommand(parseOptions, help, httpSuite)
