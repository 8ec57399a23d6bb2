import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ScherzoError } from './errors.ts'
import { resolveSettings, settingRows } from './settings.ts'
import type { GivenSettings, Settings } from './settings.ts'

type Name = keyof Settings

interface Examples<Value> {
  readonly good: readonly (readonly [unknown, Value])[]
  readonly bad: readonly unknown[]
}

const switches: Examples<boolean> = {
  good: [
    ['on', true],
    ['off', false],
    [true, true],
    [false, false]
  ],
  bad: ['', 'ON', 'Off', 'true', 'false', 'yes', '1', '0', ' on', 1, 0, null]
}

const notWholeNumbers = [
  '',
  ' ',
  '-1',
  -1,
  '1.5',
  1.5,
  '0x10',
  '1e3',
  ' 8',
  '8 ',
  '+8',
  'all',
  NaN,
  Infinity,
  true,
  null,
  8n
]

const times: Examples<number> = {
  good: [
    ['0', 0],
    ['2.5', 2.5],
    [2.5, 2.5],
    [86_400, 86_400]
  ],
  bad: [
    '',
    ' ',
    '-1',
    -1,
    '10s',
    '1e3',
    '.5',
    '5.',
    ' 5',
    '+5',
    86_401,
    '86401',
    NaN,
    Infinity,
    true,
    null,
    5n
  ]
}

const files: Examples<string | null> = {
  good: [['./cert.pem', './cert.pem']],
  bad: ['', 'a\0b', 1, true, null]
}

/** Per setting: what is accepted and how it reads, and what is refused. */
const examples: { readonly [N in Name]: Examples<Settings[N]> } = {
  host: {
    good: [
      ['0.0.0.0', '0.0.0.0'],
      ['localhost', 'localhost'],
      ['::1', '::1'],
      ['fe80::1%eth0', 'fe80::1%eth0'],
      ['my_host-1.example', 'my_host-1.example']
    ],
    bad: ['', ' ', 'a b', 'a/b', 'http://a', '[::1]', 'a,b', 'a\n', 'ä', 127, true, null, ['a']]
  },
  port: {
    good: [
      ['0', 0],
      ['80', 80],
      [0, 0],
      [65_535, 65_535],
      ['65535', 65_535]
    ],
    bad: [
      '',
      ' ',
      '65536',
      65_536,
      '-1',
      -1,
      '80.5',
      80.5,
      '8o',
      '0x50',
      '1e3',
      ' 80',
      '80 ',
      '+80',
      NaN,
      Infinity,
      true,
      null,
      80n
    ]
  },
  workers: {
    good: [
      ['1', 1],
      [1, 1],
      [1024, 1024],
      ['1024', 1024]
    ],
    bad: ['', '0', 0, '1025', 1025, '-1', '1.5', 1.5, 'all', 'auto', NaN, true, null]
  },
  runtime: {
    good: [
      ['current_thread', 'current_thread'],
      ['multithread', 'multithread']
    ],
    bad: ['', 'multi_thread', 'Multithread', 'current-thread', 'pool', 1, true, null]
  },
  poolThreads: { good: wholeNumbers(1, 256), bad: [...notWholeNumbers, 0, '0', 257] },
  adapterBufferMultiplierPerCpu: {
    good: wholeNumbers(1, 1_000_000),
    bad: [...notWholeNumbers, 0, 1_000_001]
  },
  poolQueue: { good: wholeNumbers(0, 1_000_000), bad: [...notWholeNumbers, 1_000_001] },
  fastLane: switches,
  admin: {
    good: [
      ['off', null],
      [false, null],
      ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }],
      ['localhost:0', { host: 'localhost', port: 0 }],
      ['[::1]:65535', { host: '::1', port: 65_535 }]
    ],
    bad: [
      '',
      'on',
      '9000',
      ':9000',
      '127.0.0.1',
      '127.0.0.1:',
      'a:65536',
      '::1:80',
      '[::1]',
      'a b:1',
      9000,
      true,
      null
    ]
  },
  tlsCert: files,
  tlsKey: files,
  http2: switches,
  watch: switches,
  drainTimeout: times,
  stuckAfter: {
    good: [...times.good, ['1', 1], [1.5, 1.5]],
    bad: [...times.bad, '0.5', 0.5, 0.999]
  },
  replaceStuck: switches,
  maxConnections: { good: wholeNumbers(1, 10_000_000), bad: [...notWholeNumbers, 0, '0', 10_000_001] },
  maxRequests: { good: wholeNumbers(0, 1_000_000_000), bad: [...notWholeNumbers, 1_000_000_001] },
  bodyLimit: { good: wholeNumbers(1, 2 ** 40), bad: [...notWholeNumbers, 0, '0', 2 ** 40 + 1] },
  headersTimeout: times,
  requestTimeout: times,
  keepAliveTimeout: times,
  sendTimeout: times,
  maxMessageBytes: { good: wholeNumbers(1, 2 ** 30), bad: [...notWholeNumbers, 0, '0', 2 ** 30 + 1] },
  maxFragments: { good: wholeNumbers(1, 1_000_000_000), bad: [...notWholeNumbers, 0, '0', 1_000_000_001] },
  maxSockets: { good: wholeNumbers(1, 10_000_000), bad: [...notWholeNumbers, 0, '0', 10_000_001] },
  maxSocketsPerIdentity: { good: wholeNumbers(0, 10_000_000), bad: [...notWholeNumbers, 10_000_001] },
  maxSocketsPerAddress: { good: wholeNumbers(0, 10_000_000), bad: [...notWholeNumbers, 10_000_001] },
  messagesPerSecond: { good: wholeNumbers(0, 1_000_000), bad: [...notWholeNumbers, 1_000_001] },
  messageBurst: { good: wholeNumbers(1, 1_000_000), bad: [...notWholeNumbers, 0, '0', 1_000_001] },
  subscriptionsPerSecond: { good: wholeNumbers(0, 1_000_000), bad: [...notWholeNumbers, 1_000_001] },
  subscriptionBurst: { good: wholeNumbers(1, 1_000_000), bad: [...notWholeNumbers, 0, '0', 1_000_001] },
  maxChannels: { good: wholeNumbers(0, 1_000_000), bad: [...notWholeNumbers, 1_000_001] },
  maxChannelNameBytes: { good: wholeNumbers(1, 1024), bad: [...notWholeNumbers, 0, '0', 1025] },
  pingInterval: times,
  closeTimeout: times,
  compressionThreshold: { good: wholeNumbers(0, 2 ** 30), bad: [...notWholeNumbers, 2 ** 30 + 1] },
  compressionLevel: { good: wholeNumbers(0, 9), bad: [...notWholeNumbers, 10, '10'] },
  websocketBatchSize: { good: wholeNumbers(1, 10_000), bad: [...notWholeNumbers, 0, '0', 10_001] },
  websocketBatchTimeout: {
    good: [
      ['0.02', 0.02],
      [0, 0],
      [10, 10]
    ],
    bad: ['', 'soon', '-1', -1, '10.1', 10.1, NaN, Infinity, null]
  },
  historyBytes: { good: wholeNumbers(0, 2 ** 40), bad: [...notWholeNumbers, 2 ** 40 + 1] },
  idempotencyWindow: times,
  idempotencyKeys: { good: wholeNumbers(1, 10_000_000), bad: [...notWholeNumbers, 0, 10_000_001] },
  broker: {
    good: [
      'memory',
      'redis://127.0.0.1:6379',
      'rediss://user:p%40ss@redis.example:6380/2',
      'redis+cluster://a,b:7001',
      'redis+sentinel://:secret@a:26379,b/main',
      'nats://token@[::1]:4222'
    ].map((address) => [address, address] as const),
    bad: [
      '',
      'redis',
      'redis://',
      'http://a',
      'redis://a,b',
      'redis://a:0',
      'redis+sentinel://a',
      'nats://a/1',
      5,
      null
    ]
  },
  brokerPrefix: {
    good: [['chat-1_a', 'chat-1_a']],
    bad: ['', 'a:b', 'a.b', 'x'.repeat(65), 1, null]
  },
  brokerTimeout: {
    good: [
      ['0.1', 0.1],
      [3600, 3600]
    ],
    bad: ['0', '-1', 'x', 3601, null]
  },
  logFormat: {
    good: [
      ['auto', 'auto'],
      ['readable', 'readable'],
      ['json', 'json']
    ],
    bad: ['', 'JSON', 'pretty', 'off', 1, true, null]
  },
  logLevel: {
    good: [
      ['fatal', 'fatal'],
      ['silent', 'silent'],
      ['trace', 'trace']
    ],
    bad: ['', 'INFO', 'warning', '30', 30, true, null]
  }
}

const names = Object.keys(settingRows) as Name[]

test('has the defaults where nothing is given', () => {
  for (const name of names) assert.deepEqual(resolve({}, {})[name], settingRows[name].default, name)
  const { host, port, workers, runtime, admin } = resolve({}, {})
  assert.deepEqual([host, port, workers, runtime, admin], ['127.0.0.1', 3000, null, 'current_thread', null])
})

test('the command line has an admin server by default, a program has none', () => {
  const source = { spell: (name: Name) => `--${name}`, isCommand: true }
  assert.deepEqual(resolveSettings({}, {}, source).admin, { host: '127.0.0.1', port: 9000 })
  assert.equal(resolveSettings({ admin: 'off' }, {}, source).admin, null)
  assert.deepEqual(resolveSettings({}, { SCHERZO_ADMIN: 'a:1' }, source).admin, { host: 'a', port: 1 })
})

test('refuses one file for TLS without the other', () => {
  const code = 'SCZ_ERR_TLS_PAIR'
  assert.throws(() => resolve({ tlsCert: 'a.pem' }, {}), {
    code,
    message: /^--tlsCert needs --tlsKey beside it/
  })
  assert.throws(() => resolve({}, { SCHERZO_TLS_KEY: 'a' }), { code, message: /^--tlsKey needs --tlsCert/ })
})

test('an option that is undefined is the same as none', () => {
  const given = Object.fromEntries(names.map((name) => [name, undefined]))
  assert.deepEqual(resolve(given, {}), resolve({}, {}))
})

test('takes what a row of the table says that it takes', () => {
  for (const name of names) {
    for (const [value, expected] of examples[name].good) {
      assert.deepEqual(resolvePair(name, value)[name], expected, `${name} ${String(value)}`)
      if (typeof value !== 'string') continue
      for (const variable of settingRows[name].environment) {
        assert.deepEqual(
          resolve(besides(name), { [variable]: value })[name],
          expected,
          `${variable}=${value}`
        )
      }
    }
  }
})

test('refuses any other option with the way it was spelled, the value and what is expected', () => {
  for (const name of names) {
    for (const value of examples[name].bad) {
      assert.throws(
        () => resolve({ [name]: value }, {}),
        {
          code: 'SCZ_ERR_SETTING',
          message: `Invalid value "${String(value)}" for --${name}: use ${settingRows[name].expected}`
        },
        `${name} ${String(value)}`
      )
    }
  }
})

test('refuses any other environment variable by its own name', () => {
  for (const name of names) {
    for (const value of examples[name].bad) {
      if (typeof value !== 'string' || value === '') continue
      for (const variable of settingRows[name].environment) {
        assert.throws(() => resolve({}, { [variable]: value }), {
          code: 'SCZ_ERR_SETTING',
          message: `Invalid value "${value}" for ${variable}: use ${settingRows[name].expected}`
        })
      }
    }
  }
})

test('an option wins over the environment, SCHERZO_* over the common names, those over the default', () => {
  const environment = { PORT: '1', HOST: 'common' }
  assert.deepEqual(pick(resolve({}, environment)), { host: 'common', port: 1 })
  const own = { ...environment, SCHERZO_PORT: '2', SCHERZO_HOST: 'own' }
  assert.deepEqual(pick(resolve({}, own)), { host: 'own', port: 2 })
  assert.deepEqual(pick(resolve({ host: 'given', port: 3 }, own)), { host: 'given', port: 3 })
})

test('every setting can be given in the environment, as SCHERZO_ and its flag', () => {
  for (const name of names) {
    const { flag, environment } = settingRows[name]
    assert.equal(environment[0], `SCHERZO_${flag.replaceAll('-', '_').toUpperCase()}`)
  }
})

test('an empty environment variable is the same as none', () => {
  const empty = Object.fromEntries(names.flatMap((name) => settingRows[name].environment).map((v) => [v, '']))
  assert.deepEqual(resolve({}, empty), resolve({}, {}))
  assert.equal(resolve({}, { SCHERZO_PORT: '', PORT: '8080' }).port, 8080)
})

test('does not look at what a stronger source overrides', () => {
  assert.equal(resolve({ port: 1 }, { SCHERZO_PORT: 'x', PORT: 'y' }).port, 1)
  assert.equal(resolve({}, { SCHERZO_PORT: '1', PORT: 'y' }).port, 1)
})

test('every default is a value that the setting takes, and every flag is its own', () => {
  for (const name of names) {
    const row = settingRows[name]
    if (row.default !== null) assert.equal(row.read(row.default), row.default, name)
  }
  assert.equal(new Set(names.map((name) => settingRows[name].flag)).size, names.length)
})

test('the README has the row of each setting, in the order of the table, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.split('\n').filter((line) => line.startsWith('| `--'))
  const expected = names.map((name) => {
    const { flag, environment, shownDefault, meaning } = settingRows[name]
    const variables = environment.map((variable) => `\`${variable}\``).join(', ')
    return `| \`--${flag}\` | \`${name}\` | ${variables} | ${shownDefault} | ${meaning} |`
  })
  assert.deepEqual(rows, expected)
})

test('the error is one of the catalogue', () => {
  assert.throws(() => resolve({ port: 'x' }, {}), ScherzoError)
})

function resolve(given: GivenSettings, environment: Record<string, string>): Settings {
  return resolveSettings(given, environment, { spell: (name) => `--${name}`, isCommand: false })
}

/** With the setting that has to stand beside it. */
function resolvePair(name: Name, value: unknown): Settings {
  return resolve({ ...besides(name), [name]: value }, {})
}

function besides(name: Name): GivenSettings {
  if (name === 'tlsCert') return { tlsKey: 'key.pem' }
  return name === 'tlsKey' ? { tlsCert: 'cert.pem' } : {}
}

function wholeNumbers(least: number, most: number): (readonly [unknown, number])[] {
  return [
    [least, least],
    [String(least), least],
    [most, most],
    [String(most), most]
  ]
}

function pick({ host, port }: Settings): { host: string; port: number } {
  return { host, port }
}
