import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '../workers/testing/ports.ts'
import type { Answer } from './testing/answer.ts'
import { Image } from './testing/container.ts'
import type { Container } from './testing/container.ts'
import { verify, verifyHead } from './testing/verifier.ts'
import { Wire, ask, get } from './testing/wire.ts'

/** The benchmark's highest number is 16,384; a process needs a descriptor for each. */
const CONNECTIONS = Number(process.env['TECHEMPOWER_CONNECTIONS'] ?? 1000)
/** They connect in groups: the kernel's queue for new connections is not what is tested. */
const GROUP = 500
/** As many as the benchmark's script sends at once. */
const PIPELINE = 16

const LEGAL: readonly (readonly [string, string])[] = [
  ['a query', get('/plaintext?a=1&b')],
  ['a target in absolute form', get('http://localhost/plaintext')],
  ['an escape in the path', get('/%70laintext')],
  ['an empty line in front', `\r\n${get('/plaintext')}`],
  ['odd case and no blank in a header', 'GET /plaintext HTTP/1.1\r\nhOsT:localhost\r\n\r\n'],
  ['blanks around a value', 'GET /plaintext HTTP/1.1\r\nHost: \t localhost \t \r\n\r\n'],
  ['an IPv6 address as Host', 'GET /plaintext HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n'],
  ['an empty value', get('/plaintext', 'X-Empty:')],
  ['bytes beyond ASCII in a value', get('/plaintext', 'X-Name: caf\u00e9')],
  ['a repeated header', get('/plaintext', 'Accept: text/plain', 'Accept: */*')],
  ['a length of zero', get('/plaintext', 'Content-Length: 0')],
  ['a body', `${get('/plaintext', 'Content-Type: text/plain', 'Content-Length: 5')}hello`],
  ['a chunked body', `${get('/plaintext', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`],
  [
    'a condition',
    get('/plaintext', 'If-None-Match: "a"', 'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT')
  ],
  ['a range', get('/plaintext', 'Range: bytes=0-4')],
  ['HTTP/1.0', 'GET /plaintext HTTP/1.0\r\n\r\n'],
  ['an upgrade that nobody offers', get('/plaintext', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c')]
]

for (const name of ['scherzo', 'scherzo-multithread']) {
  describe(`${name}.dockerfile`, () => {
    let container: Container
    let port = 0

    before(async () => {
      const image = await Image.build(fileURLToPath(new URL(`./${name}.dockerfile`, import.meta.url)))
      port = await freePort()
      container = await image.run({ SCHERZO_HOST: '127.0.0.1', SCHERZO_PORT: String(port) }, [
        `http://127.0.0.1:${port}`
      ])
    })

    after(async () => {
      const { code, stderr } = await container.stop()
      deepEqual([code, stderr], [0, ''])
    })

    test('passes the checks of the verifier for plaintext', () => verify('plaintext', port, '/plaintext'))

    test('passes the checks of the verifier for JSON', () => verify('json', port, '/json'))

    test(`${PIPELINE} pipelined requests are answered in their order`, async () => {
      const wire = await Wire.open(port)
      const paths = Array.from({ length: PIPELINE }, (_, index) => (index % 3 === 1 ? '/json' : '/plaintext'))
      wire.send(paths.map((path) => get(path)).join(''))
      for (const path of paths) isAnswerTo(path, await wire.read())
      equal(wire.unread.length, 0)
      wire.close()
    })

    test('and so they are when some of them are for Fastify', async () => {
      const wire = await Wire.open(port)
      const paths = ['/plaintext', '/json', '/missing?1', '/plaintext', '/missing?2', '/json', '/plaintext']
      wire.send(paths.map((path) => get(path)).join(''))
      for (const path of paths) {
        const answer = await wire.read()
        if (path.startsWith('/missing')) {
          equal(answer.status, 404)
          match(answer.body.toString(), new RegExp(`GET:${path.replace('?', '\\?')}`))
        } else {
          isAnswerTo(path, answer)
        }
      }
      wire.close()
    })

    test('a pipeline is answered when it arrives byte by byte', async () => {
      const wire = await Wire.open(port)
      await wire.sendFragments([...(get('/plaintext') + get('/json'))])
      isAnswerTo('/plaintext', await wire.read())
      isAnswerTo('/json', await wire.read())
      wire.close()
    })

    test('a connection stays open for one request after the other', async () => {
      const wire = await Wire.open(port)
      for (let times = 0; times < 200; times++) {
        const path = times % 2 === 0 ? '/plaintext' : '/json'
        wire.send(get(path, 'Connection: keep-alive'))
        const answer = await wire.read()
        isAnswerTo(path, answer)
        equal(answer.headers.get('connection') ?? 'keep-alive', 'keep-alive')
      }
      wire.close()
    })

    test('and closes for who asks for that', async () => {
      const wire = await Wire.open(port)
      wire.send(get('/json', 'Connection: close') + get('/json'))
      const answer = await wire.read()
      isAnswerTo('/json', answer)
      equal(answer.headers.get('connection'), 'close')
      await wire.closed
      equal(wire.unread.length, 0)
    })

    for (const path of ['/plaintext', '/json']) {
      test(`HEAD ${path} has the head of GET and no body`, async () => {
        const wire = await Wire.open(port)
        wire.send(get(path).replace('GET', 'HEAD') + get(path))
        const head = await wire.read('HEAD')
        const whole = await wire.read()
        isAnswerTo(path, whole)
        equal(head.status, 200)
        deepEqual(withoutDate(head), withoutDate(whole))
        wire.close()
      })
    }

    test('the headers of a browser and many more change nothing', async () => {
      const headers = [
        'User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0',
        'Accept-Encoding: gzip, deflate, br, zstd',
        'Accept-Language: en;q=0.5',
        `Cookie: session=${'c'.repeat(4000)}`,
        ...Array.from({ length: 60 }, (_, index) => `X-Header-${index}: value of ${index}`)
      ]
      const wire = await Wire.open(port)
      wire.send(get('/plaintext', ...headers) + get('/json', ...headers))
      isAnswerTo('/plaintext', await wire.read())
      isAnswerTo('/json', await wire.read())
      wire.close()
    })

    for (const [what, request] of LEGAL) {
      test(`a request with ${what} is answered as any other`, async () => {
        isAnswerTo('/plaintext', await ask(port, request))
      })
    }

    test(`${CONNECTIONS} connections at once are all answered`, { timeout: 120_000 }, async () => {
      const wires: Wire[] = []
      while (wires.length < CONNECTIONS) {
        const size = Math.min(GROUP, CONNECTIONS - wires.length)
        wires.push(...(await Promise.all(Array.from({ length: size }, () => Wire.open(port)))))
      }
      for (const [path, times] of [
        ['/plaintext', PIPELINE],
        ['/json', 1]
      ] as const) {
        for (const wire of wires) wire.send(get(path).repeat(times))
        await Promise.all(wires.map((wire) => answersTo(wire, path, times)))
      }
      for (const wire of wires) wire.close()
    })
  })
}

async function answersTo(wire: Wire, path: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) isAnswerTo(path, await wire.read())
}

function isAnswerTo(path: string, answer: Answer): void {
  verifyHead(path === '/json' ? 'json' : 'plaintext', answer)
  equal(answer.body.toString(), path === '/json' ? '{"message":"Hello, World!"}' : 'Hello, World!')
}

function withoutDate({ headers }: Answer): [string, string][] {
  return [...headers].filter(([name]) => name !== 'date')
}
