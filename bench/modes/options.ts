import {
  type CommonOptions,
  count,
  list,
  option,
  positive,
  readOptions,
  someOf,
  text
} from '../harness/options.ts'

export const modeCases = ['mixed', 'light', 'before'] as const
export type ModeCase = (typeof modeCases)[number]

export interface ModeOptions extends CommonOptions {
  connections: number[]
  burns: number[]
  only: ModeCase[]
  /** Another checkout, to compare current_thread with. */
  before: string | null
}

export const help: string = `Usage: npm run bench:modes -- [options]

Measures the runtimes current_thread and multithread side by side, one server with one worker at a time,
pinned to core 0 with its load on core 1, and prints a report.

  mixed    200 light requests a second beside 8 at once that burn CPU time
  light    light requests only, as many as the server takes
  before   current_thread beside another checkout, given with --before: plaintext, JSON and a light route

  --repeats N         Measurements of every server in every case. Default: 5
  --seconds N         Length of one measured window. Default: 5
  --warm-up N         Length of the run before the measured one. Default: 2
  --only LIST         Cases: ${modeCases.join(',')}. Default: mixed,light
  --connections LIST  Connections of the light case. Default: 256,1024,4096,16384
  --burns LIST        CPU milliseconds of a heavy request. Default: 50,10,5,2,1
  --before FOLDER     A checkout of the commit to compare with, with its dependencies installed
  --json FILE         Writes every sample to FILE too
  --help              Shows this

Needs Linux, two cores, taskset and wrk.`

export function parseModeOptions(args: string[]): ModeOptions {
  const options = readOptions<ModeOptions>(
    args,
    { repeats: 5, seconds: 5, warmUp: 2 },
    {
      connections: list(count, [256, 1024, 4096, 16_384]),
      burns: list(positive, [50, 10, 5, 2, 1]),
      only: someOf(modeCases, ['mixed', 'light']),
      before: option(text, null)
    }
  )
  if (options.only.includes('before') && options.before === null)
    throw new Error('The case "before" needs --before FOLDER')
  return options
}
