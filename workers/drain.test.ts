import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { startServing } from './testing/child.ts'
import { RawClient } from './testing/raw-client.ts'

const app = fileURLToPath(new URL('./testing/operated-app.ts', import.meta.url))
const REQUESTS = 100

describe('SIGTERM', { concurrency: true }, () => {
  test(`lets ${REQUESTS} requests of 2 s finish and refuses new connections`, async () => {
    const { child, port } = await startServing([app, '--workers', '2'])
    const clients = await Promise.all(Array.from({ length: REQUESTS }, () => RawClient.open(port)))
    for (const [id, client] of clients.entries()) client.send(get(`/slow/${id}`))
    // An answer from each worker: the requests that were sent before have been read.
    await answersFromAll(port, 2)
    child.signal('SIGTERM')
    await child.printed(/SIGTERM: no new connections/)
    await refusal(port)
    await rejects(RawClient.open(port), { code: 'ECONNREFUSED' })
    for (const [id, client] of clients.entries()) {
      const response = await client.closed
      match(response, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nconnection: close\r\n/i)
      match(response, new RegExp(`\r\n\r\nslow ${id}$`))
    }
    deepEqual((await child.ended).code, 0)
  })

  test('tells kept-alive connections of both lanes to close with their next answer', async () => {
    const { child, port } = await startServing([app, '--workers', '1', '--drain-timeout', '5'])
    const clients = await Promise.all([RawClient.open(port), RawClient.open(port)])
    const paths = ['/item/1', '/plaintext']
    for (const [index, client] of clients.entries()) {
      client.send(get(paths[index]!))
      await client.receive(/\r\n\r\n./)
      client.socket.pause()
    }
    child.signal('SIGTERM')
    await child.printed(/SIGTERM/)
    await refusal(port)
    for (const [index, client] of clients.entries()) {
      client.send(get(paths[index]!))
      client.socket.resume()
      const answers = (await client.closed).split(/(?=HTTP\/1\.1 )/)
      equal(answers.length, 2)
      match(answers[0]!, /^HTTP\/1\.1 200 (?![^]*connection: close)/i)
      match(answers[1]!, /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i)
    }
    equal((await child.ended).code, 0)
  })

  test('cuts what is left after the drain timeout, and the close hooks run', async () => {
    const { child, port } = await startServing([app, '--workers', '1', '--drain-timeout', '0.3'])
    const client = await RawClient.open(port)
    client.send(get('/slow/1'))
    await answersFromAll(port, 1)
    child.signal('SIGTERM')
    equal(await client.closed, '')
    const { code, stdout } = await child.ended
    equal(code, 0)
    match(stdout, /the close hook ran/)
  })
})

/** Waits until so many threads have answered. */
async function answersFromAll(port: number, threads: number): Promise<void> {
  const seen = new Set<string | null>()
  while (seen.size < threads) {
    const response = await fetch(`http://127.0.0.1:${port}/item/1`, { headers: { connection: 'close' } })
    seen.add(response.headers.get('x-thread'))
  }
}

/** Waits until connections are refused. */
async function refusal(port: number): Promise<void> {
  for (;;) {
    const client = await RawClient.open(port).catch(() => null)
    if (client === null) return
    client.close()
  }
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}
