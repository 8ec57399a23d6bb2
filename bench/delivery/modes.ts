import type { ServerRecipe } from '../harness/server.ts'

/** A way in which messages reach clients. */
export interface Mode extends ServerRecipe {
  readonly path: string
  readonly isCompressed: boolean
  /** Messages a second that one core can send to 1,000 subscribers. @param bytes of a message */
  readonly rate: (bytes: number) => number
}

export const PLAIN = 'plain'
export const ADAPTIVE = 'adaptive batches'
export const PACED = 'batches of 500 or 20 ms'
export const COMPRESSED = 'compressed'
export const BOTH = 'compressed adaptive batches'
export const WS = 'ws compressing for each'

/** @param rateOf messages a second; null where the mode decides */
export function modesFor(given: number | null): Mode[] {
  const rate = (small: number, large: number) => (bytes: number) => given ?? (bytes > LARGE ? large : small)
  // Uncompressed, 2,000 messages of 2,000 bytes a second are 4 GB/s for 1,000 subscribers.
  const plain = rate(2000, 200)
  const compressed = rate(2000, 2000)
  // It compresses 1,000 times for each message.
  const slow = rate(100, 10)
  return [
    scherzo(PLAIN, '/plain', false, plain),
    scherzo(ADAPTIVE, '/adaptive', false, plain),
    scherzo(PACED, '/paced', false, plain),
    scherzo(COMPRESSED, '/compressed', true, rate(2000, 200)),
    scherzo(BOTH, '/both', true, compressed),
    {
      name: WS,
      path: '/',
      isCompressed: true,
      rate: slow,
      command: (port) => ['node', 'bench/peers/ws-delivery.ts', String(port)]
    }
  ]
}

const LARGE = 1000

function scherzo(name: string, path: string, isCompressed: boolean, rate: Mode['rate']): Mode {
  const serve = 'node workers/command-line.ts serve bench/apps/delivery.ts --workers 1'
  return { name, path, isCompressed, rate, command: (port) => [...serve.split(' '), '--port', String(port)] }
}
