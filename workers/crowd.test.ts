import { deepEqual, equal, ok } from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startServing } from './testing/child.ts'

const app = fileURLToPath(new URL('./testing/broadcast-app.ts', import.meta.url))
const CROWD = 10_000
/** They connect in groups: the kernel's queue for new connections is not what is tested. */
const GROUP = 500

test(`${CROWD} WebSockets that leave at once and come back hold up neither publishing nor HTTP`, async () => {
  const { child, port, address } = await startServing([app, '--workers', '2'])
  let crowd = await openCrowd(port)
  equal(await textOf('/subscribers'), String(CROWD))

  const offsets: number[] = []
  const faults: string[] = []
  let isOver = false
  const publishing = publishAndAsk()
  for (let times = 0; times < 2; times++) {
    const before = offsets.length
    for (const socket of crowd) socket.destroy()
    while ((await textOf('/subscribers')) !== '0');
    crowd = await openCrowd(port)
    ok(offsets.length > before)
  }
  isOver = true
  await publishing
  deepEqual(faults, [])
  deepEqual(
    offsets,
    offsets.map((_, index) => index + 1)
  )
  equal(await textOf('/subscribers'), String(CROWD))
  for (const socket of crowd) socket.destroy()
  child.signal('SIGTERM')
  equal((await child.ended).code, 0)

  async function publishAndAsk(): Promise<void> {
    while (!isOver) {
      const published = JSON.parse(await textOf('/publish')) as { offset: number }
      offsets.push(published.offset)
      if (!/^\d+$/.test(await textOf('/thread'))) faults.push('GET /thread')
    }
  }

  async function textOf(path: string): Promise<string> {
    const response = await fetch(address + path)
    if (response.status !== 200) faults.push(`${path} ${response.status}`)
    return response.text()
  }
})

/** Subscribers that take what comes and look at nothing but the answer to their handshake. */
async function openCrowd(port: number): Promise<Socket[]> {
  const crowd: Socket[] = []
  while (crowd.length < CROWD) {
    crowd.push(...(await Promise.all(Array.from({ length: GROUP }, () => openSubscriber(port)))))
  }
  return crowd
}

function openSubscriber(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', reject)
    socket.once('data', (answer) => {
      socket.resume()
      if (answer.toString('latin1').startsWith('HTTP/1.1 101 ')) resolve(socket)
      else reject(new Error(answer.toString()))
    })
    socket.write(
      'GET /crowd HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    )
  })
}
