import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readDockerfile } from './testing/dockerfile.ts'
import { parseToml } from './testing/toml.ts'

type TestKeys = Readonly<Record<string, string | number>>

interface Config {
  readonly framework: string
  readonly tests: readonly Readonly<Record<string, TestKeys>>[]
}

interface Package {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** What `validate_test` in toolset/utils/metadata.py takes, in lower case; null for any text. */
const ALLOWED: Readonly<Record<string, readonly string[] | null>> = {
  language: null,
  webserver: null,
  classification: ['fullstack', 'micro', 'platform'],
  database: ['none', 'mongodb', 'mysql', 'postgres'],
  approach: ['realistic', 'stripped'],
  orm: ['full', 'micro', 'raw'],
  platform: null,
  framework: null,
  os: ['linux', 'windows'],
  database_os: ['linux', 'windows']
}

/** The keys of config.toml that benchmark_config.json has, too, and what they are called there. */
const SHARED: Readonly<Record<string, string>> = {
  'urls.plaintext': 'plaintext_url',
  'urls.json': 'json_url',
  approach: 'approach',
  classification: 'classification',
  database: 'database',
  database_os: 'database_os',
  os: 'os',
  orm: 'orm',
  platform: 'platform',
  webserver: 'webserver',
  versus: 'versus'
}

/** What a file imports, for its types or in truth. */
const IMPORT = /^import (?:.* from )?'([^']+)'$/gm

const config = JSON.parse(read('benchmark_config.json')) as Config
const [tests = {}] = config.tests
const toml = parseToml(read('config.toml'))

describe('benchmark_config.json', () => {
  test('has the two tests of one framework', () => {
    deepEqual([config.framework, config.tests.length], ['scherzo', 1])
    deepEqual(Object.keys(tests), ['default', 'multithread'])
    const names = Object.values(tests).map((keys) => keys['display_name'])
    equal(new Set(names).size, names.length)
  })

  for (const [name, keys] of Object.entries(tests)) {
    test(`the test ${name} has the keys and values that the toolset takes`, () => {
      for (const [key, allowed] of Object.entries(ALLOWED)) {
        const value = keys[key]
        ok(typeof value === 'string' && value !== '', key)
        ok(allowed === null || allowed.includes(value.toLowerCase()), `${key}: ${value}`)
      }
      equal(keys['framework'], config.framework)
      deepEqual(
        Object.entries(keys).filter(([key]) => key.endsWith('_url')),
        [
          ['json_url', '/json'],
          ['plaintext_url', '/plaintext']
        ]
      )
    })

    test(`the test ${name} has a dockerfile of its name that serves on its port`, () => {
      const { environment, exposed, copied } = readDockerfile(pathOf(dockerfileOf(name)))
      deepEqual(exposed, [keys['port']])
      equal(environment['SCHERZO_PORT'], String(keys['port']))
      equal(environment['SCHERZO_HOST'], '0.0.0.0')
      equal(environment['SCHERZO_RUNTIME'], name === 'default' ? 'current_thread' : name)
      for (const file of copied) ok(existsSync(pathOf(file)), file)
    })
  }
})

describe('config.toml', () => {
  test('names the same framework and the same tests', () => {
    deepEqual([...toml.keys()], ['framework', 'main', 'multithread'])
    deepEqual([...toml.get('framework')!], [['name', config.framework]])
  })

  for (const [name, keys] of Object.entries(tests)) {
    test(`says of the test ${name} what benchmark_config.json says`, () => {
      const table = toml.get(name === 'default' ? 'main' : name)!
      const expected = Object.entries(SHARED).map(([key, other]) => [key, keys[other]] as const)
      deepEqual(Object.fromEntries(table), Object.fromEntries(expected))
    })
  }
})

for (const folder of ['', 'httparena/']) {
  test(`${folder}package.json takes this version of the package and its Fastify`, () => {
    const entry = JSON.parse(read(`${folder}package.json`)) as Package
    const { version, dependencies } = JSON.parse(read('../package.json')) as Package
    equal(entry.dependencies['scherzo'], `^${version}`)
    equal(entry.dependencies['fastify'], dependencies['fastify'])
  })
}

for (const [folder, dockerfile] of [
  ['', 'scherzo.dockerfile'],
  ['', 'scherzo-multithread.dockerfile'],
  ['httparena/', 'Dockerfile']
] as const) {
  test(`${folder}${dockerfile} holds all that its sources import, and they import nothing but packages they name`, () => {
    const { copied } = readDockerfile(pathOf(folder + dockerfile))
    const { dependencies } = JSON.parse(read(`${folder}package.json`)) as Package
    const known = new Set(Object.keys(dependencies).concat(copied.map((file) => `./${file}`)))
    const imports = copied
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => Array.from(read(folder + file).matchAll(IMPORT)))
      .map(([, name = '']) => name)
    ok(imports.includes('scherzo'))
    deepEqual(
      imports.filter((name) => !isBuiltin(name) && !known.has(name)),
      []
    )
  })
}

function dockerfileOf(test: string): string {
  return test === 'default' ? `${config.framework}.dockerfile` : `${config.framework}-${test}.dockerfile`
}

function read(file: string): string {
  return readFileSync(pathOf(file), 'utf8')
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
