import { type Subscription, connect } from 'scherzo/client'
import type { Channels } from '../channels.ts'
import { Chat } from './chat.ts'
import { element } from './elements.ts'
import { Journal } from './journal.ts'
import { Network } from './network.ts'
import { Ticker } from './ticker.ts'
import { Visitor } from './visitor.ts'

const visitor = new Visitor()
const network = new Network()
const batch = element<HTMLSelectElement>('batch')
const name = element<HTMLInputElement>('name')
const offline = element<HTMLInputElement>('offline')
const subscriptions: Subscription<unknown>[] = []

batch.value = new URLSearchParams(location.search).get('batch') ?? ''
name.value = visitor.name
offline.checked = false
const curl = element('curl')
curl.textContent = curl.textContent!.replace('http://127.0.0.1:3000', location.origin)

const client = connect<Channels>(address, {
  WebSocket: network.WebSocket,
  backoff: { initial: 500, max: 4000 }
})
const chat = new Chat(client, visitor)
const journal = new Journal(client, network, positions, chat)
const ticker = new Ticker(client)

// Whatever the address and the visitor say when the connection ends holds for the next one.
batch.addEventListener('change', () => network.cut('Connecting again for another delivery.'))
name.addEventListener('change', () => {
  visitor.name = name.value.trim() || visitor.name
  name.value = visitor.name
  network.cut(`Connecting again as ${visitor.name}.`)
})
offline.addEventListener('change', () => (offline.checked ? network.switchOff() : network.switchOn()))

journal.begin()
for (const part of [chat, ticker]) subscriptions.push(await part.begin())
document.documentElement.dataset['ready'] = ''

function address(): string {
  network.check()
  const url = new URL('/live', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.search = String(
    new URLSearchParams({ id: visitor.id, name: visitor.name, ...(batch.value && { batch: batch.value }) })
  )
  return url.href
}

function positions(): Map<keyof Channels, { epoch: string; offset: number }> {
  const known = subscriptions.filter(({ position }) => position !== null)
  return new Map(known.map(({ channel, position }) => [channel as keyof Channels, position!]))
}
