// Preloaded into every thread of a server whose memory is measured: on SIGUSR2 all of them collect their garbage.

import { BroadcastChannel, isMainThread } from 'node:worker_threads'

const threads = new BroadcastChannel('scherzo.bench.collect')
threads.addEventListener('message', collect)
threads.unref()
if (isMainThread) {
  process.on('SIGUSR2', () => {
    collect()
    threads.postMessage(null)
  })
}

/** Twice: what is finalised by the first is garbage for the second. */
function collect(): void {
  globalThis.gc?.()
  globalThis.gc?.()
}
