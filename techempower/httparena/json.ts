import { readFile } from 'node:fs/promises'
import compress from '@fastify/compress'
import type { FastifyInstance } from 'fastify'

interface Item {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly price: number
  readonly quantity: number
  readonly active: boolean
  readonly tags: readonly string[]
  readonly rating: { readonly score: number; readonly count: number }
}

const integer = { type: 'integer' }
const text = { type: 'string' }

const item = {
  type: 'object',
  properties: {
    id: integer,
    name: text,
    category: text,
    price: integer,
    quantity: integer,
    active: { type: 'boolean' },
    tags: { type: 'array', items: text },
    rating: { type: 'object', properties: { score: integer, count: integer } },
    total: integer
  }
}

/** The first so many items with their totals, computed, serialised and, for who asks for it, compressed on every request. */
export default async function json(
  fastify: FastifyInstance,
  { dataset }: { dataset: string }
): Promise<void> {
  const items = JSON.parse(await readFile(dataset, 'utf8')) as readonly Item[]
  const schema = {
    params: {
      type: 'object',
      properties: { count: { type: 'integer', minimum: 0, maximum: items.length } }
    },
    querystring: { type: 'object', required: ['m'], properties: { m: integer } },
    response: {
      200: { type: 'object', properties: { items: { type: 'array', items: item }, count: integer } }
    }
  }

  await fastify.register(compress)
  fastify.get<{ Params: { count: number }; Querystring: { m: number } }>(
    '/json/:count',
    { schema },
    async ({ params: { count }, query: { m } }) => ({
      items: items
        .slice(0, count)
        .map((entry) => Object.assign({}, entry, { total: entry.price * entry.quantity * m })),
      count
    })
  )
}
