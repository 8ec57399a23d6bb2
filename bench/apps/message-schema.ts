/** The same response schema for everyone who serialises with Fastify's serialiser. */
export const messageSchema = {
  response: {
    200: {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message']
    }
  }
} as const
