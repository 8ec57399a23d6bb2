import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '../../workers/serve.ts'
import type { ScherzoServer } from '../../workers/server.ts'
import type { Tick } from './channels.ts'

const app = fileURLToPath(new URL('app.ts', import.meta.url))
let server: ScherzoServer

before(async () => {
  server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1 })
})

after(() => server.close())

test('the page may load nothing from elsewhere, and its files have their types', async () => {
  const { headers } = await fetch(server.address)
  match(headers.get('content-security-policy')!, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/page.js', 'text/javascript'],
    ['/page.css', 'text/css'],
    ['/icon.svg', 'image/svg+xml'],
    ['/docs/README.md', 'text/plain'],
    ['/docs/CLIENT.md', 'text/plain']
  ]) {
    const response = await fetch(server.address + path)
    equal(response.status, 200)
    equal(response.headers.get('content-type')!.split(';')[0], type, path)
  }
})

test('the page links nothing that is not there', async () => {
  const html = await (await fetch(server.address)).text()
  const links = [...html.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, path]) => path!)
  const statuses = await Promise.all(
    links.map(async (path) => [path, (await fetch(server.address + path)).status])
  )
  deepEqual(
    statuses.filter(([, status]) => status !== 200),
    [['/users/nobody', 400]]
  )
})

test('prices go from one instrument to the next, whichever worker publishes them', async () => {
  const heard: string[] = []
  await new Promise<void>((resolve) => {
    const end = server.subscribe('ticks', ({ data }) => {
      if (heard.push((data as Tick).instrument) < 12) return
      end()
      resolve()
    })
  })
  const order = ['Violin', 'Viola', 'Cello', 'Oboe', 'Horn', 'Timpani']
  const first = order.indexOf(heard[0]!)
  deepEqual(
    heard,
    heard.map((_, index) => order[(first + index) % 6])
  )
})

test('both lanes answer, and bodies come back', async () => {
  equal(await (await fetch(`${server.address}/plaintext`)).text(), 'Hello, World!')
  deepEqual(await (await fetch(`${server.address}/users/42`)).json(), { id: 42, name: 'User 42' })
  const echoed = await fetch(`${server.address}/echo`, { method: 'POST', body: 'Grüezi' })
  equal(await echoed.text(), 'Grüezi')
})
