// npm run bench:instances -- --help

import { runCommand } from './harness/command-line.ts'
import { help, parseInstancesOptions } from './instances/options.ts'
import { instancesSuite } from './instances/suite.ts'

await runCommand(parseInstancesOptions, help, instancesSuite)
