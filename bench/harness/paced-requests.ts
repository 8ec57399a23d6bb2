import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const agent = new Agent({ keepAlive: true })

/**
 * Requests at a fixed rate, and their latencies in milliseconds. The latency of a request counts from the moment at
 * which it was due: one that could not be sent in time has waited, too.
 */
export async function askAtRate(
  port: number,
  path: string,
  expected: string,
  perSecond: number,
  seconds: number
): Promise<number[]> {
  const latencies: number[] = []
  const open: Promise<void>[] = []
  const end = performance.now() + seconds * 1000
  for (let due = performance.now(); due < end; due += 1000 / perSecond) {
    await sleep(Math.max(0, due - performance.now()))
    open.push(ask(port, path, expected).then(() => void latencies.push(performance.now() - due)))
  }
  await Promise.all(open)
  return latencies
}

export function ask(port: number, path: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => {
        if (response.statusCode === 200 && body === expected) resolve()
        else reject(new Error(`${path} answered ${response.statusCode} ${body}`))
      })
    })
      .on('error', reject)
      .end()
  })
}
