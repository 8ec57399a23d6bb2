import { createServer } from 'node:net'
import type { Server } from 'node:net'

/** Listens alone on the port, as a server that is not Scherzo does; it does not keep the process alive. */
export async function listenAlone(port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host, exclusive: true }, resolve)
  })
  return server.unref()
}

/** Whether nobody listens on the port, with `reusePort` or without. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  try {
    const server = await listenAlone(port, host)
    await new Promise((resolve) => server.close(resolve))
    return true
  } catch {
    return false
  }
}

/** A port that nobody uses, out of a range from which the kernel gives none to a socket that asks for any. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    if (await isFree(port)) return port
  }
}
