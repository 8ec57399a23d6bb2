import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { readEvents } from '../../workers/testing/event-reader.ts'
import { startEndpoints } from '../websocket/testing/endpoint-server.ts'
import { addEventsRoute } from './events-route.ts'

test('who comes to a worker that is about to go is told to come back: a browser that is refused does not', async (context) => {
  const { endpoints, hub, port } = await startEndpoints(context, (fastify, _route, own) =>
    addEventsRoute(fastify, '/events/:channel', { authenticate: 'none', authorize: () => true }, own)
  )
  endpoints.reconnect = 'now'
  await endpoints.closeAll()
  const response = await fetch(`http://127.0.0.1:${port}/events/ticks`)
  deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream'])
  const events = readEvents(await response.text())
  equal(events.length, 1)
  const { event, retry, data } = events[0]!
  deepEqual([event, JSON.parse(data!)], ['drain', { drain: { reconnect: 'now', after: Number(retry) } }])
  deepEqual(hub.members, [])
})
