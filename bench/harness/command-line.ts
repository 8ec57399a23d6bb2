import { writeFileSync } from 'node:fs'
import type { CommonOptions } from './options.ts'
import { renderReport, toJson } from './report.ts'
import { runSuite, type Suite } from './suite.ts'

/** What every benchmark's command does with its options. */
export async function runCommand<Options extends CommonOptions>(
  parse: (args: string[]) => Options,
  help: string,
  suiteOf: (options: Options, log: (line: string) => void) => Suite
): Promise<void> {
  try {
    const options = parse(process.argv.slice(2))
    if (options.help) return console.log(help)
    const { environment, results, bars, failures } = await runSuite(
      suiteOf(options, log),
      options.repeats,
      log
    )
    console.log(renderReport(environment, results, bars))
    if (failures.length > 0) process.exitCode = 1
    if (options.json !== null) writeFileSync(options.json, toJson(environment, results))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

function log(line: string): void {
  console.error(line)
}
