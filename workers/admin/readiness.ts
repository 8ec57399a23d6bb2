import type { ServerView } from '../server-view.ts'

/** Why the server should not be sent requests now, or null. During a reload the old workers or the new ones serve. */
export function reasonNotReady({ state, threads }: ServerView): string | null {
  if (state === 'starting' || state === 'draining') return state
  return threads.some((thread) => thread.state === 'ready') ? null : 'no worker is ready'
}
