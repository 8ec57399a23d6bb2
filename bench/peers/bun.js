// Bun.serve, run as: bun bun.js PORT

/* global Bun */
Bun.serve({
  port: Number(process.argv[2]),
  hostname: '127.0.0.1',
  development: false,
  // Seconds, the most there are: its own 10 s would close idle connections before their memory is read.
  idleTimeout: 255,
  routes: {
    // A static response is Bun's fastest form, under pipelining by far.
    '/plaintext': new Response('Hello, World!', { headers: { 'Content-Type': 'text/plain' } }),
    '/json': () => Response.json({ message: 'Hello, World!' })
  }
})
