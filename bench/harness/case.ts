import { rotate } from './statistics.ts'
import type { Answer } from './answers.ts'
import { figureOf, type Sample } from './sample.ts'
import { type RunningServer, type ServerRecipe, startServer } from './server.ts'

export interface Column {
  /** The name of a figure in the case's samples. */
  figure: string
  title: string
  digits: number
  /** Figures are multiplied by this for reading. @default 1 */
  scale?: number
}

/** Where a case stands on a curve of cases that differ in one number. */
export interface CurvePoint {
  curve: string
  x: number
  xTitle: string
}

/** One kind of load, put on several servers in turn. */
export interface Case {
  name: string
  /** Where it is one of several sizes. */
  point?: CurvePoint
  /** The load as it would be typed. */
  load: string
  answers: readonly Answer[]
  servers: readonly ServerRecipe[]
  columns: readonly Column[]
  /** The first server is compared with the others by these figures. */
  compared: readonly Column[]
  measure: (server: RunningServer) => Promise<Sample>
}

export interface CaseResult {
  case: Case
  /** By server, one sample for each repeat. */
  samples: Map<string, Sample[]>
}

export async function runCase(
  benchCase: Case,
  repeats: number,
  log: (line: string) => void
): Promise<CaseResult> {
  const samples = new Map(benchCase.servers.map(({ name }) => [name, [] as Sample[]]))
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const recipe of rotate(benchCase.servers, repeat)) {
      const sample = await measureOnce(benchCase, recipe)
      samples.get(recipe.name)?.push(sample)
      log(`${benchCase.name}, ${repeat + 1} of ${repeats}, ${recipe.name}: ${inShort(benchCase, sample)}`)
    }
  }
  return { case: benchCase, samples }
}

async function measureOnce(benchCase: Case, recipe: ServerRecipe): Promise<Sample> {
  const server = await startServer(recipe, benchCase.answers)
  try {
    return await benchCase.measure(server)
  } catch (cause) {
    throw new Error(`${benchCase.name}, ${recipe.name}: ${String(cause)}`, { cause })
  } finally {
    await server.stop()
  }
}

function inShort({ compared }: Case, sample: Sample): string {
  return [
    ...compared.map(({ title, figure, digits, scale = 1 }) => {
      return `${title} ${(figureOf(sample, figure) * scale).toFixed(digits)}`
    }),
    ...sample.warnings
  ].join(', ')
}
