import { deepEqual, equal, match, ok } from 'node:assert/strict'

/** One name of the text format for Prometheus with its samples. */
export interface ScrapedFamily {
  readonly type: string
  readonly help: string
  readonly samples: readonly ScrapedSample[]
}

export interface ScrapedSample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"`
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)\})? (\S+)$`)
const NUMBER = /^(?:[+-]?Inf|NaN|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)$/

/**
 * Reads the text format for Prometheus, version 0.0.4, and asserts everything that it prescribes: HELP and TYPE once, before
 * the samples, the lines of a family together, no sample twice, and histograms that add up.
 */
export function parseExposition(text: string): ReadonlyMap<string, ScrapedFamily> {
  ok(text.endsWith('\n'), 'the last line ends')
  const families = new Map<string, { type: string; help: string; samples: ScrapedSample[] }>()
  const seen = new Set<string>()
  let help: readonly [string, string] | null = null
  let current = ''
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, helpName, helpText] = /^# HELP (\S+) (.+)$/.exec(line) ?? []
    const [, typeName, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? []
    if (helpName !== undefined) {
      help = [helpName, helpText!]
    } else if (typeName !== undefined) {
      equal(help?.[0], typeName, 'HELP comes before TYPE')
      ok(!families.has(typeName), `${typeName} comes once`)
      families.set(typeName, { type: type!, help: help[1], samples: [] })
      current = typeName
    } else {
      const sample = parseSample(line)
      const family = families.get(current)!
      const suffix = sample.name.slice(current.length)
      ok(sample.name.startsWith(current), `${line} stands below ${current}`)
      ok(family.type === 'histogram' ? ['_bucket', '_sum', '_count'].includes(suffix) : suffix === '', line)
      const identity = line.slice(0, line.lastIndexOf(' '))
      ok(!seen.has(identity), `${identity} comes once`)
      seen.add(identity)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) checkFamily(name, family)
  return families
}

/** The value of the one sample with exactly these labels. */
export function valueOf(
  families: ReadonlyMap<string, ScrapedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number {
  const samples = [...families.values()].flatMap((family) => family.samples)
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      sample.labels.size === Object.keys(labels).length &&
      Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value)
  )
  equal(found.length, 1, `${name} ${JSON.stringify(labels)}`)
  return found[0]!.value
}

function parseSample(line: string): ScrapedSample {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
  ok(name !== undefined && value !== undefined, `a sample: ${line}`)
  match(value, NUMBER)
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([pair]) => {
    const equals = pair.indexOf('=')
    return [pair.slice(0, equals), pair.slice(equals + 2, -1)] as const
  })
  const map = new Map(pairs)
  equal(map.size, pairs.length, `each label comes once: ${line}`)
  return { name, labels: map, value: Number(value.replace('Inf', 'Infinity')) }
}

function checkFamily(name: string, { type, samples }: ScrapedFamily): void {
  equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
  if (type !== 'gauge') for (const { value } of samples) ok(value >= 0, name)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: readonly ScrapedSample[]): void {
  const series = new Map<string, ScrapedSample[]>()
  for (const sample of samples) {
    const key = JSON.stringify([...sample.labels].filter(([label]) => label !== 'le'))
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [key, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels.get('le')!.replace('Inf', 'Infinity')))
    deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `the buckets of ${name}${key} are in order`
    )
    equal(bounds.at(-1), Infinity)
    equal(new Set(bounds).size, bounds.length)
    const counts = buckets.map(({ value }) => value)
    deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `the buckets of ${name}${key} are cumulative`
    )
    deepEqual(
      all.slice(buckets.length).map((sample) => sample.name),
      [`${name}_sum`, `${name}_count`]
    )
    equal(all.at(-1)!.value, counts.at(-1), `the last bucket of ${name}${key} is its count`)
  }
}
