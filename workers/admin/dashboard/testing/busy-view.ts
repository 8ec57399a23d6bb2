import { Stats } from '../../../metrics/stats.ts'
import type { ServerView } from '../../../server-view.ts'
import { fakeView, fakeWorker } from '../../../testing/fake-view.ts'

/** Three workers that have done something, and do more whenever they are looked at. */
export function busyView(given: Partial<ServerView> = {}): ServerView {
  const threads = [0.1, 0.9, 0.4].map((utilisation, index) => fakeWorker(index + 1, { utilisation }))
  const [first] = threads
  first!.stats.set('openConnections', 170)
  first!.stats.set('hubMembers', 150)
  first!.stats.set('hubSubscriptions', 300)
  first!.stats.set('poolThreads', 4)
  const retired = new Stats()
  const view = fakeView({ threads, retired, startedAt: Date.now() - 90_000, ...given })
  return Object.defineProperty({ ...view }, 'retired', {
    get: () => {
      retired.countRequests('fast', 200, 0.000_07, 4000)
      retired.countRequests('main', 200, 0.002, 900)
      retired.count('hubDelivered', 1500)
      return retired
    }
  })
}
