import type { Answer } from '../harness/answers.ts'
import type { Bar } from '../harness/bars.ts'
import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { measureMixed, mixedCommand } from '../harness/mixed.ts'
import { describe } from '../harness/processes.ts'
import type { ServerRecipe } from '../harness/server.ts'
import { measureWithWrk, wrkCommand, type WrkLoad } from '../harness/wrk.ts'
import { jsonAnswer, plaintextAnswer } from '../http/answers.ts'
import { loadColumns, loadCompared, pipelinedColumns } from '../http/columns.ts'
import type { ModeOptions } from './options.ts'

const LIGHT_PER_SECOND = 200
const HEAVY_AT_ONCE = 8
const CONNECTIONS = 64
const PIPELINED = 16

/** The heavy requests that the bar is about burn so many milliseconds. */
const HELD_TO_BURN = 50

const MULTITHREAD = 'multithread'
const CURRENT_THREAD = 'current_thread'
const BEFORE = 'the commit before'

const lightAnswer: Answer = {
  path: '/light',
  mediaType: 'application/json',
  body: '{"message":"light"}'
}

export function modeCasesFor(options: ModeOptions): Case[] {
  const modes = [recipe(MULTITHREAD, '.', 'modes'), recipe(CURRENT_THREAD, '.', 'modes')]
  const { only, connections, burns, before } = options
  return [
    ...(only.includes('mixed') ? burns.map((burn) => mixedCase(options, burn, modes)) : []),
    ...(only.includes('light')
      ? connections.map((count) => lightCase(options, lightName(count), count, modes))
      : []),
    ...(only.includes('before') && before !== null ? beforeCases(options, before) : [])
  ]
}

/** What the modes are held to. */
export function modeBarsFor({ only, burns }: ModeOptions): Bar[] {
  const mixed: Bar = {
    case: mixedName(HELD_TO_BURN),
    server: MULTITHREAD,
    peer: CURRENT_THREAD,
    figure: 'p99',
    title: 'p99 of light requests',
    wanted: { atMost: 0.2 }
  }
  const unchanged = ['Plaintext', 'JSON', 'A light Fastify route'].map((name): Bar => ({
    case: name,
    server: CURRENT_THREAD,
    peer: BEFORE,
    figure: 'rate',
    title: 'requests/s',
    wanted: { atLeast: 0.98 }
  }))
  const isHeld = only.includes('mixed') && burns.includes(HELD_TO_BURN)
  return [...(isHeld ? [mixed] : []), ...(only.includes('before') ? unchanged : [])]
}

function mixedCase(options: ModeOptions, burn: number, servers: readonly ServerRecipe[]): Case {
  const load = {
    lightPerSecond: LIGHT_PER_SECOND,
    heavyAtOnce: HEAVY_AT_ONCE,
    burn,
    warmUpSeconds: options.warmUp,
    seconds: options.seconds
  }
  return {
    name: mixedName(burn),
    load: `taskset -c ${LOAD_CORE} ${describe(mixedCommand(load, 'PORT', load.seconds))}`,
    answers: [lightAnswer],
    servers,
    columns: [
      { figure: 'p50', title: 'light p50 ms', digits: 1 },
      { figure: 'p99', title: 'light p99 ms', digits: 1 },
      { figure: 'light', title: 'light/s', digits: 0 },
      { figure: 'heavy', title: 'heavy/s', digits: 1 },
      { figure: 'busy', title: 'server CPU %', digits: 0, scale: 100 }
    ],
    compared: [
      { figure: 'p99', title: 'light p99', digits: 1 },
      { figure: 'heavy', title: 'heavy/s', digits: 1 }
    ],
    measure: (server) => measureMixed(server, load)
  }
}

function lightCase(
  options: ModeOptions,
  name: string,
  connections: number,
  servers: readonly ServerRecipe[]
): Case {
  return wrkCase(options, name, servers, lightAnswer, { connections, pipelined: 1 })
}

function beforeCases(options: ModeOptions, folder: string): Case[] {
  const fast = [recipe(CURRENT_THREAD, '.', 'scherzo'), recipe(BEFORE, folder, 'scherzo')]
  const main = [recipe(CURRENT_THREAD, '.', 'modes'), recipe(BEFORE, folder, 'modes')]
  return [
    wrkCase(options, 'Plaintext', fast, plaintextAnswer, { connections: CONNECTIONS, pipelined: PIPELINED }),
    wrkCase(options, 'JSON', fast, jsonAnswer, { connections: CONNECTIONS, pipelined: 1 }),
    lightCase(options, 'A light Fastify route', CONNECTIONS, main)
  ]
}

function wrkCase(
  options: ModeOptions,
  name: string,
  servers: readonly ServerRecipe[],
  answer: Answer,
  what: Pick<WrkLoad, 'connections' | 'pipelined'>
): Case {
  const load: WrkLoad = {
    ...what,
    path: answer.path,
    warmUpSeconds: options.warmUp,
    seconds: options.seconds
  }
  return {
    name,
    load: `taskset -c ${LOAD_CORE} ${describe(wrkCommand(load, 'PORT', 'PID'))}`,
    answers: [answer],
    servers,
    columns: what.pipelined === 1 ? loadColumns : pipelinedColumns,
    compared: loadCompared,
    measure: (server) => measureWithWrk(server, load)
  }
}

function mixedName(burn: number): string {
  return `${LIGHT_PER_SECOND} light requests/s beside ${HEAVY_AT_ONCE} at once of ${burn} ms`
}

function lightName(connections: number): string {
  return `Light requests only, ${connections} connections`
}

/** The apps are this checkout's, the server that of the folder. */
function recipe(name: string, folder: string, app: string): ServerRecipe {
  const mode = name === MULTITHREAD ? ' --runtime multithread --pool-queue 100000' : ''
  return {
    name,
    command: (port) =>
      `node ${folder}/workers/command-line.ts serve bench/apps/${app}.ts --port ${port} --workers 1${mode}`.split(
        ' '
      )
  }
}
