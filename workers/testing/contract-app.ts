import { threadId } from 'node:worker_threads'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import multipart from '@fastify/multipart'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import '../../index.ts'

const shared = Buffer.alloc(4096, 'shared ')
const large = Buffer.alloc(20 * 1_048_576, 'large ')
/** What hooks saw and what clients did, for the test to ask for: one list for each copy of the app. */
const events: string[] = []

export const options: FastifyServerOptions = { trustProxy: ['10.0.0.0/8', '127.0.0.1'] }

/** One route for everything that has to be the same in both modes. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  await fastify.register(multipart)
  await fastify.register(websocket)
  fastify.decorate('answer', 42)
  fastify.decorateRequest('mark', '')
  fastify.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body)
  )
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string)))
  )
  answers(fastify)
  errors(fastify)
  bodies(fastify)
  raw(fastify)
  await fastify.register(hooked, { prefix: '/hooked' })

  fastify.get('/thread', () => ({ threadId }))
  fastify.get('/inline', { config: { inline: true } }, () => ({ threadId }))
  fastify.register(async (nested) => nested.get('/', { config: { inline: true } }, () => ({ threadId })), {
    prefix: '/nested'
  })
  fastify.get('/events', () => events.splice(0))
  fastify.get('/socket', { websocket: true }, (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`))
  })
}

function answers(fastify: FastifyInstance): void {
  fastify.get('/json', () => ({
    message: 'Grüße, 世界',
    answer: (fastify as unknown as { answer: number }).answer
  }))
  fastify.get('/text', (_request, reply) =>
    reply.type('text/plain').header('X-Mixed-Case', 'Yes').send('text')
  )
  fastify.get('/cookies', (_request, reply) =>
    reply.header('set-cookie', ['a=1', 'b=2']).header('x-number', 7).send('cookies')
  )
  fastify.get('/empty', (_request, reply) => reply.send())
  fastify.get('/none', (_request, reply) => reply.code(204).send())
  fastify.get('/unchanged', (_request, reply) => reply.code(304).header('etag', '"1"').send())
  fastify.get('/teapot', (_request, reply) => reply.code(418).send('short'))
  fastify.get('/redirect', (_request, reply) => reply.redirect('/json'))
  fastify.get('/buffer', () => Buffer.from([0, 255, 1, 254]))
  fastify.get('/shared', (_request, reply) => reply.send(shared))
  fastify.get('/large', (_request, reply) => reply.send(large))
  fastify.get('/stream', (_request, reply) =>
    reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three']))
  )
  fastify.get('/slow-stream', (_request, reply) => reply.type('text/plain').send(Readable.from(slowly())))
  fastify.get('/large-stream', (_request, reply) => reply.send(Readable.from(pieces())))
  fastify.get(
    '/web-stream',
    () => new Response('from a Response', { status: 201, headers: { 'x-web': 'yes' } })
  )
  fastify.get('/broken-stream', (_request, reply) => reply.send(Readable.from(breaking())))
  fastify.get('/trailers', (_request, reply) =>
    reply
      .trailer('x-digest', (_reply, payload, done) =>
        done(null, String((payload as string | null)?.length ?? 0))
      )
      .send('with trailers')
  )
  fastify.get('/close', (_request, reply) => reply.header('connection', 'close').send('closing'))
  fastify.get(
    '/who',
    ({ ip, ips, protocol, host, hostname, port, id, raw }) =>
      ({
        ip,
        ips,
        protocol,
        host,
        hostname,
        port,
        httpVersion: raw.httpVersion,
        id: typeof id,
        remote: raw.socket.remoteAddress,
        hasPort: (raw.socket.remotePort ?? 0) > 0,
        local: raw.socket.localAddress,
        rawHeaders: raw.rawHeaders,
        headers: raw.headers,
        distinct: raw.headersDistinct,
        complete: raw.complete
      }) as never
  )
  fastify.get<{ Params: { name: string } }>('/params/:name', ({ params, query, url, routeOptions }) => ({
    params,
    query,
    url,
    route: routeOptions.url
  }))
}

function errors(fastify: FastifyInstance): void {
  fastify.get('/throws', () => {
    throw new Error('It broke')
  })
  fastify.get('/rejects', async () => {
    throw Object.assign(new Error('Not now'), { statusCode: 503, code: 'E_LATER' })
  })
  fastify.get(
    '/validated',
    { schema: { querystring: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } } },
    ({ query }) => query
  )
}

function bodies(fastify: FastifyInstance): void {
  fastify.post('/echo', { bodyLimit: 4 * 1_048_576 }, ({ body }) =>
    Buffer.isBuffer(body) ? { bytes: body.length, digest: digest(body) } : { body }
  )
  fastify.post('/small', { bodyLimit: 10 }, ({ body }) => ({ body }))
  fastify.post('/default', ({ body }) => ({ bytes: (body as Buffer).length }))
  fastify.post('/upload', async (request) => {
    const file = await request.file()
    const bytes = await file?.toBuffer()
    return { name: file?.filename, bytes: bytes?.length, fields: Object.keys(file?.fields ?? {}) }
  })
  fastify.register(async (streams) => {
    streams.removeAllContentTypeParsers()
    streams.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    streams.post('/piped', { bodyLimit: 8 * 1_048_576 }, async ({ body, raw }) => {
      const hash = createHash('sha256')
      ;(body as Readable).on('data', (chunk: Buffer) => hash.update(chunk))
      await once(body as Readable, 'end')
      return { digest: hash.digest('hex'), trailers: raw.trailers }
    })
  })
}

function raw(fastify: FastifyInstance): void {
  fastify.get('/hijacked', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, 'Fine', { 'content-type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'] })
    reply.raw.end('hijacked')
  })
  fastify.get('/implicit', (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('X-Kind', 'implicit')
    reply.raw.statusCode = 202
    reply.raw.end('implicit')
  })
  fastify.get('/flat', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, ['X-A', '1', 'X-B', '2', 'Content-Length', '4'])
    reply.raw.end('flat')
  })
  fastify.get('/mixed', (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('X-Set', 'before')
    reply.raw.setHeader('X-Kept', ['1', '2'])
    reply.raw.writeHead(200, { 'x-set': 'after', 'Transfer-Encoding': 'chunked' })
    reply.raw.write('mi')
    reply.raw.end('xed')
  })
  fastify.get('/pieces', async (_request, reply) => {
    reply.hijack()
    reply.raw.write('one ')
    await pause(10)
    reply.raw.write(Buffer.from('two '))
    await pause(10)
    reply.raw.write('zw\u00f6lf', 'latin1')
    reply.raw.end()
  })
  fastify.get('/raw-trailers', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { Trailer: 'X-Sum', 'transfer-encoding': 'chunked' })
    reply.raw.write('summed')
    reply.raw.addTrailers({ 'X-Sum': '6' })
    reply.raw.end()
  })
  fastify.get('/hints', (_request, reply) => {
    reply.hijack()
    reply.raw.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.css>; rel=preload'], 'x-hint': '1' })
    reply.raw.writeProcessing()
    reply.raw.end('hinted')
  })
  fastify.get('/flushed', async (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader('content-type', 'text/plain')
    reply.raw.flushHeaders()
    await pause(10)
    reply.raw.end('flushed')
  })
  fastify.get('/destroyed', (_request, reply) => {
    reply.hijack()
    reply.raw.destroy()
  })
  fastify.get('/to-socket', ({ raw }, reply) => {
    reply.hijack()
    raw.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nraw')
    raw.socket.end()
  })
  fastify.get('/waits', { onRequestAbort: async () => void events.push('onRequestAbort') }, waits)
}

/** Never answers; tells how its client went away. */
function waits({ raw }: FastifyRequest, reply: FastifyReply): void {
  events.push('waiting')
  raw.on('aborted', () => events.push('request aborted'))
  raw.on('close', () => events.push(`request close ${raw.destroyed} ${raw.aborted}`))
  raw.socket.on('close', () => events.push(`socket close ${raw.socket.destroyed}`))
  reply.raw.on('finish', () => events.push('response finish'))
  reply.raw.on('close', () => events.push(`response close ${reply.raw.destroyed} ${reply.raw.writableEnded}`))
}

async function hooked(fastify: FastifyInstance): Promise<void> {
  fastify.addHook('onRequest', async () => void events.push('onRequest'))
  fastify.addHook('preParsing', async (_request, _reply, payload) => {
    events.push('preParsing')
    return payload
  })
  fastify.addHook('preHandler', async () => void events.push('preHandler'))
  fastify.addHook('onSend', async (_request, reply, payload) => {
    events.push('onSend')
    reply.header('x-hook', 'seen')
    return payload
  })
  fastify.addHook('onError', async () => void events.push('onError'))
  fastify.addHook('onResponse', async (_request, reply) => {
    events.push(`onResponse ${reply.statusCode} ${reply.raw.writableFinished}`)
  })
  fastify.get('/', () => 'root')
  fastify.get('/fine', () => 'fine')
  fastify.post('/post', () => 'posted')
  fastify.get('/fails', () => {
    throw new Error('It failed')
  })
}

async function* slowly(): AsyncGenerator<string> {
  for (const word of ['slow ', 'but ', 'steady']) {
    yield word
    await pause(5)
  }
}

function* pieces(): Generator<Buffer> {
  for (let index = 0; index < 64; index++) yield Buffer.alloc(65_536, index)
}

async function* breaking(): AsyncGenerator<string> {
  yield 'a part'
  await pause(10)
  throw new Error('The stream broke')
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
