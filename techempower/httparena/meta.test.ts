import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readDockerfile } from '../testing/dockerfile.ts'

interface Meta {
  readonly display_name: string
  readonly language: string
  readonly type: string
  readonly engine: string
  readonly description: string
  readonly repo: string
  readonly enabled: boolean
  readonly tests: readonly string[]
  readonly maintainers: readonly string[]
}

const PROFILES = [
  'baseline',
  'pipelined',
  'limited-conn',
  'json',
  'json-comp',
  'json-tls',
  'upload',
  'static',
  'echo-ws'
]

const meta = JSON.parse(read('meta.json')) as Meta

test('meta.json has the fields that HttpArena documents and no others', () => {
  deepEqual(Object.keys(meta).toSorted(), [
    'description',
    'display_name',
    'enabled',
    'engine',
    'language',
    'maintainers',
    'repo',
    'tests',
    'type'
  ])
  equal(meta.display_name, 'scherzo')
  equal(meta.language, 'TS')
  equal(meta.type, 'production')
  equal(meta.enabled, true)
  ok(Array.isArray(meta.maintainers))
  match(meta.description, /\.$/)
})

test('meta.json names the repository that package.json names', () => {
  const { repository } = JSON.parse(read('../../package.json')) as { repository?: { url: string } }
  equal(meta.repo, repository?.url.replace(/^git\+|\.git$/g, '') ?? '')
})

test('meta.json subscribes to the profiles that are tested here', () => {
  deepEqual(meta.tests, PROFILES)
})

test('the Dockerfile has the ports and the mounts of the benchmark', () => {
  const { environment, exposed } = readDockerfile(pathOf('Dockerfile'))
  deepEqual(exposed, [8080, 8081])
  deepEqual(
    ['SCHERZO_HOST', 'HTTP_PORT', 'HTTPS_PORT', 'CERTIFICATES', 'DATA'].map((name) => environment[name]),
    ['0.0.0.0', '8080', '8081', '/certs', '/data']
  )
})

function read(file: string): string {
  return readFileSync(pathOf(file), 'utf8')
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
