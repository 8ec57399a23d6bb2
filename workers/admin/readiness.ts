import type { ServerView } from '../server-view.ts'

/** Why the server should not be sent requests now, or null. During a reload the old workers or the new ones serve. */
export function reasonNotReady({ state, threads, broker }: ServerView): string | null {
  if (state === 'starting' || state === 'draining') return state
  if (!threads.some((thread) => thread.state === 'ready')) return 'no worker is ready'
  return broker === null || broker.isReachable ? null : 'the broker does not answer'
}
