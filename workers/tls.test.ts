import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'
import { startScherzo, startServing } from './testing/child.ts'
import { createCertificate } from './testing/certificate.ts'
import { freePort, isFree } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { ask } from './testing/tls-app.ts'

const first = createCertificate('first')
const second = createCertificate('second')
const folder = temporaryFolder({
  'app.ts': `
    import { threadId } from 'node:worker_threads'
    export default async function app(fastify) {
      fastify.fast.text('/fast', 'fast')
      fastify.get('/thread', async () => String(threadId))
    }`,
  'cert.pem': first.cert,
  'key.pem': first.key,
  'other-key.pem': second.key,
  'chain.pem': first.cert + second.cert,
  'garbage.pem': '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n',
  'encrypted-key.pem': createPrivateKey(first.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret'
  }) as string,
  'locked.pem': first.cert
})
mkdirSync(join(folder, 'directory'))
chmodSync(join(folder, 'locked.pem'), 0o000)
const isRoot = process.getuid?.() === 0

test('scherzo serve prints an https address, and speaks HTTP/1.1 and HTTP/2 there', async () => {
  const files = ['--tls-cert', 'chain.pem', '--tls-key', 'key.pem']
  const { child, address, port } = await startServing(['app.ts', '--workers', '1', ...files], { cwd: folder })
  assert.equal(address, `https://127.0.0.1:${port}`)
  assert.match(await answerOn(await open(port)), /fast$/)
  const session = connectHttp2(address, { ca: first.cert })
  assert.equal((await ask(session, { ':path': '/fast' })).body, 'fast')
  child.signal('SIGTERM')
  await once(session, 'close')
  const { code, stderr } = await child.ended
  assert.deepEqual([code, stderr], [0, ''])
})

describe('for TLS, scherzo refuses in one line', () => {
  const refusals = [
    [
      'a certificate without a key',
      'cert.pem',
      null,
      '--tls-cert needs --tls-key beside it: give both the certificate and its key, or neither'
    ],
    [
      'a key without a certificate',
      null,
      'key.pem',
      '--tls-key needs --tls-cert beside it: give both the certificate and its key, or neither'
    ],
    [
      'a certificate that is not there',
      'gone.pem',
      'key.pem',
      'Cannot use gone.pem for TLS: there is no such file'
    ],
    ['a key that is not there', 'cert.pem', 'gone.pem', 'Cannot use gone.pem for TLS: there is no such file'],
    ['a directory', 'directory', 'key.pem', 'Cannot use directory for TLS: it is a directory'],
    [
      'a file that may not be read',
      'locked.pem',
      'key.pem',
      'Cannot use locked.pem for TLS: permission denied'
    ],
    [
      'a certificate that is garbage',
      'garbage.pem',
      'key.pem',
      'Cannot use garbage.pem for TLS: it has no certificate in PEM'
    ],
    [
      'a key in place of the certificate',
      'key.pem',
      'key.pem',
      'Cannot use key.pem for TLS: it has no certificate in PEM'
    ],
    [
      'a key that is garbage',
      'cert.pem',
      'garbage.pem',
      'Cannot use garbage.pem for TLS: it has no private key in PEM that can be read without a passphrase'
    ],
    [
      'an encrypted key',
      'cert.pem',
      'encrypted-key.pem',
      'Cannot use encrypted-key.pem for TLS: it has no private key in PEM that can be read without a passphrase'
    ],
    [
      'the key of another certificate',
      'cert.pem',
      'other-key.pem',
      'Cannot use other-key.pem for TLS: it is not the key of the certificate in cert.pem'
    ]
  ] as const
  for (const [what, cert, key, says] of refusals) {
    // Root may read any file.
    if (cert === 'locked.pem' && isRoot) continue
    test(what, async () => {
      const port = await freePort()
      const args = ['serve', 'app.ts', '--port', `${port}`, '--admin', 'off']
      if (cert !== null) args.push('--tls-cert', cert)
      if (key !== null) args.push('--tls-key', key)
      const { code, stdout, stderr } = await startScherzo(args, { cwd: folder }).ended
      assert.deepEqual([code, stdout, stderr], [1, '', `scherzo: ${says}\n`])
      assert.ok(await isFree(port))
    })
  }
})

describe('with two workers', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a session of ${version} is resumed on either`, async (context) => {
      const server = await start('cert.pem', 'key.pem')
      context.after(() => server.close())
      const limits = { minVersion: version, maxVersion: version }
      const session = await sessionFrom(portOf(server), limits)
      const threads = new Set<string>()
      // The kernel picks the worker by the client's port.
      while (threads.size < 2) {
        const socket = await open(portOf(server), { ...limits, session })
        assert.ok(socket.isSessionReused())
        threads.add((await answerOn(socket, '/thread')).split('\r\n\r\n')[1]!)
      }
    })
  }
})

test('a reload takes the new certificate, and connections from before go on with the old one', async (context) => {
  const files = { cert: join(folder, 'renewed-cert.pem'), key: join(folder, 'renewed-key.pem') }
  writeFileSync(files.cert, first.cert)
  writeFileSync(files.key, first.key)
  const server = await start('renewed-cert.pem', 'renewed-key.pem')
  context.after(() => server.close())
  const port = portOf(server)
  assert.equal(await nameOn(port), 'first')

  writeFileSync(files.key, second.key)
  await assert.rejects(server.reload(), {
    code: 'SCZ_ERR_RELOAD',
    message: /it is not the key of the certificate in .*renewed-cert\.pem$/
  })
  assert.equal(await nameOn(port), 'first')
  writeFileSync(files.cert, 'nothing')
  await assert.rejects(server.reload(), { code: 'SCZ_ERR_RELOAD', message: /it has no certificate in PEM$/ })
  assert.equal(await nameOn(port), 'first')

  writeFileSync(files.cert, second.cert)
  await server.reload()
  assert.equal(await nameOn(port), 'second')
})

function start(cert: string, key: string): Promise<ScherzoServer> {
  return serve(join(folder, 'app.ts'), {
    port: 0,
    workers: 2,
    logLevel: 'silent',
    tlsCert: join(folder, cert),
    tlsKey: join(folder, key)
  })
}

function portOf(server: ScherzoServer): number {
  return Number(new URL(server.address).port)
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  // Which certificate it is, is for the test to say.
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

async function nameOn(port: number): Promise<string | string[] | undefined> {
  const socket = await open(port)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

async function answerOn(socket: TLSSocket, path = '/fast'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
  await once(socket, 'close')
  return answer
}

/** TLS 1.2 gives it with the handshake, TLS 1.3 behind it. */
async function sessionFrom(port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}
