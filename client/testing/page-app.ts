import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

// A page with a chat, and the built client that it imports: what a program without a bundler does.

const client = readFileSync(process.env['CLIENT_BUNDLE']!)

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('room:*', { history: { size: 1000, age: 600 } })
  fastify.hub.route('/live', { authorize: async (_identity, channel) => channel.startsWith('room:') })
  fastify.get('/client.min.js', async (_request, reply) => reply.type('text/javascript').send(client))
  fastify.fast.html('/', page)
}

const page = `<!doctype html>
<title>Chat</title>
<output id="state"></output>
<ol id="messages"></ol>
<form><input name="text"></form>
<script type="module">
  import { connect } from '/client.min.js'
  const client = connect(location.origin.replace('http', 'ws') + '/live', { backoff: { initial: 50, max: 200 } })
  const show = (text) => document.querySelector('#messages').append(
    Object.assign(document.createElement('li'), { textContent: text })
  )
  const kept = sessionStorage.getItem('since')
  const chat = client.subscribe(
    'room:1',
    ({ text }, { epoch, offset }) => {
      sessionStorage.setItem('since', JSON.stringify({ epoch, offset }))
      show(text)
    },
    kept === null ? {} : { since: JSON.parse(kept) }
  )
  client.on('state', (state) => document.querySelector('#state').textContent = state)
  chat.ready.then(() => document.title = 'Ready')
  document.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault()
    client.publish('room:1', { text: event.target.elements.text.value })
    event.target.reset()
  })
</script>
`
