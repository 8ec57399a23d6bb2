import { readFile, readdir } from 'node:fs/promises'
import type { OutgoingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { EVENT_STREAM_TYPE, lastEventId } from '../../core/http/server-sent-event.ts'
import type { Feed } from './feed.ts'

/** The page may load what this server has, and nothing else. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY'
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml'
}

const FOLDER = new URL('dashboard/', import.meta.url)
const INDEX = 'index.html'

/** What the page takes from the package uplot, by the names that the page has for it. */
const CHARTS: ReadonlyMap<string, string> = new Map([
  ['uplot.js', 'uplot/dist/uPlot.esm.js'],
  ['uplot.css', 'uplot/dist/uPlot.min.css']
])

/** Serves the page that shows what happens, its files and its events. */
export class Dashboard {
  readonly #feed: Feed
  /** Where each file is. The page's own are the same in a checkout and in the package: what browsers run as it is. */
  readonly #files: ReadonlyMap<string, string>

  private constructor(feed: Feed, files: ReadonlyMap<string, string>) {
    this.#feed = feed
    this.#files = files
  }

  static async open(feed: Feed): Promise<Dashboard> {
    return new Dashboard(feed, await findFiles())
  }

  addRoutes(fastify: FastifyInstance): void {
    for (const name of this.#files.keys()) {
      if (name !== INDEX) fastify.get(`/dashboard/${name}`, (_request, reply) => this.#send(reply, name))
    }
    // A HEAD would wait for the end of a stream that has none.
    fastify.get('/dashboard/events', { exposeHeadRoute: false }, (request, reply) => {
      if (this.#feed.isFull) {
        return reply.code(503).type('text/plain; charset=utf-8').send('too many are watching')
      }
      reply.hijack()
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as OutgoingHttpHeaders),
        'content-type': EVENT_STREAM_TYPE,
        connection: 'close'
      })
      this.#feed.watch(reply.raw, lastEventId(request.headers['last-event-id']))
      return reply
    })
  }

  page(reply: FastifyReply): Promise<FastifyReply> {
    return this.#send(reply, INDEX)
  }

  async #send(reply: FastifyReply, name: string): Promise<FastifyReply> {
    const body = await readFile(this.#files.get(name)!)
    return reply.headers(PAGE_HEADERS).type(TYPES[extname(name)]!).send(body)
  }
}

async function findFiles(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(FOLDER)).filter((name) => extname(name) in TYPES)
  const own = names.map((name) => [name, fileURLToPath(new URL(name, FOLDER))] as const)
  const { resolve } = createRequire(import.meta.url)
  return new Map([...own, ...[...CHARTS].map(([name, path]) => [name, resolve(path)] as const)])
}
