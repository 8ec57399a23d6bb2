import { serve } from 'scherzo'

const { HTTP_PORT, HTTPS_PORT, CERTIFICATES } = process.env

const servers = await Promise.all([
  serve('./app.ts', { port: Number(HTTP_PORT) }),
  serve('./app.ts', {
    port: Number(HTTPS_PORT),
    tlsCert: `${CERTIFICATES}/server.crt`,
    tlsKey: `${CERTIFICATES}/server.key`,
    // What the profile of JSON over TLS asks for.
    http2: false
  })
])

process.once('SIGTERM', () => {
  for (const server of servers) void server.close()
})
