import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ProtocolClient } from '../../routes/protocol/testing/protocol-client.ts'
import type { Told } from '../../routes/protocol/testing/protocol-client.ts'
import { serve } from '../serve.ts'
import type { ScherzoServer } from '../server.ts'

const app = fileURLToPath(new URL('../testing/protocol-app.ts', import.meta.url))
const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')

/** What stands in the page for what is another one each time. */
const EPOCH = '9f3c51a0'
const TIME = 1_790_000_000_000
const AFTER = 640

/** Plays the lines of the page. */
class Player {
  readonly #server: ScherzoServer
  readonly #epoch: string
  #client: ProtocolClient | null = null
  #other: ProtocolClient | null = null
  #besides: Promise<unknown> = Promise.resolve()

  constructor(server: ScherzoServer, epoch: string) {
    this.#server = server
    this.#epoch = epoch
  }

  async happen(event: string): Promise<void> {
    const [, name = '', ...values] = EVENTS.map((pattern) => pattern.exec(event)).find((match) => match) ?? []
    switch (name) {
      case 'connects':
        this.#client = await this.#connect('ada')
        return
      case 'joins':
        this.#other = await this.#connect('bob')
        await this.#other.ask('subscribe', { channel: values[0] })
        return
      case 'leaves':
        this.#other?.socket.terminate()
        return
      case 'publishes the bytes':
        await this.#server.publish(values[1]!, Buffer.from(values[0]!, 'hex'))
        return
      case 'publishes':
        await this.#server.publish(values[1]!, JSON.parse(values[0]!))
        return
      case 'sends':
        equal(await this.#server.sendTo(values[1]!, JSON.parse(values[0]!)), 1)
        return
      case 'unsubscribes':
        equal(await this.#server.unsubscribe(values[0]!, values[1]!), 1)
        return
      case 'is lost':
        this.#client?.socket.terminate()
        return
      case 'reloads':
        this.#besides = this.#server.reload()
        return
      case 'closes':
        equal((await this.#client?.closed)?.code, Number(values[0]))
        return
      default:
        throw new Error(`Nobody knows how this happens: ${event}`)
    }
  }

  send(text: string): void {
    this.#client!.socket.send(text.replaceAll(EPOCH, this.#epoch))
  }

  async receive(lines: readonly string[]): Promise<void> {
    const expected = lines.map(toldBy)
    const received: Told[] = []
    while (received.length < expected.length) received.push(this.#asInPage(await this.#client!.next()))
    deepEqual(received.toSorted(byText), expected.toSorted(byText))
  }

  async end(): Promise<void> {
    await this.#besides
  }

  #connect(user: string): Promise<ProtocolClient> {
    return ProtocolClient.open(`${this.#server.address}/live`, { headers: { 'x-user': user } })
  }

  #asInPage(told: Told): Told {
    const text = JSON.stringify(told)
      .replaceAll(this.#epoch, EPOCH)
      .replaceAll(/"time":\d+/g, `"time":${TIME}`)
      .replace(/"after":\d+/, `"after":${AFTER}`)
    return JSON.parse(text) as Told
  }
}

const EVENTS = [
  /^ada (connects)$/,
  /^bob (joins) (\S+)$/,
  /^bob (leaves)$/,
  /^the app (publishes the bytes) ([0-9a-f]+) to (\S+)$/,
  /^the app (publishes) (.+) to (\S+)$/,
  /^the app (sends) (.+) to (\S+)$/,
  /^the app (unsubscribes) (\S+) from (\S+)$/,
  /^the connection (is lost)$/,
  /^the app (reloads)$/,
  /^the server (closes) with (\d+)$/
]

function toldBy(line: string): Told {
  return line.startsWith('binary ') ? { binary: line.slice(7) } : (JSON.parse(line) as Told)
}

function byText(one: Told, other: Told): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
}

test('the transcript in docs/PROTOCOL.md is what happens', async (t) => {
  const server = await serve(app, { port: 0, workers: 1, logLevel: 'silent', drainTimeout: 1 })
  t.after(() => server.close())
  const lines = /^```transcript\n(.*?)^```$/ms.exec(page)![1]!.trimEnd().split('\n')
  const player = new Player(server, (await server.history('room:1')).epoch)
  for (let index = 0; index < lines.length; index++) {
    const [mark, text] = [lines[index]![0], lines[index]!.slice(2)]
    if (mark === '*') await player.happen(text)
    else if (mark === '>') player.send(text)
    else {
      const rest = lines.slice(index)
      const others = rest.findIndex((line) => !line.startsWith('<'))
      const group = others === -1 ? rest : rest.slice(0, others)
      await player.receive(group.map((line) => line.slice(2)))
      index += group.length - 1
    }
  }
  await player.end()
  ok(lines.length > 40)
})

test('every other example of the page is JSON', () => {
  const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].flatMap(([, text]) =>
    text!.trim().split('\n')
  )
  ok(examples.length > 8)
  for (const example of examples) JSON.parse(example)
})
