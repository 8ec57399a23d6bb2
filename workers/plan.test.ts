import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { planWorkers } from './plan.ts'

const balancing = ['linux', 'freebsd', 'aix', 'sunos'] as const
const others = ['darwin', 'win32', 'openbsd', 'netbsd', 'android', 'cygwin', 'haiku'] as const

for (const platform of balancing) {
  test(`${platform} runs a worker for each core that share the port`, () => {
    deepEqual(planWorkers(null, platform, 8), { workers: 8, reusePort: true, notice: null })
  })

  test(`${platform} runs as many workers as asked for, more than cores too`, () => {
    deepEqual(planWorkers(1, platform, 8), { workers: 1, reusePort: true, notice: null })
    deepEqual(planWorkers(16, platform, 8), { workers: 16, reusePort: true, notice: null })
  })
}

for (const platform of others) {
  test(`${platform} runs one worker alone on its port, and says so where more were due`, () => {
    for (const asked of [null, 2]) {
      const { workers, reusePort, notice } = planWorkers(asked, platform, 8)
      deepEqual([workers, reusePort], [1, false])
      match(notice ?? '', new RegExp(`^Running one worker: ${platform} does not spread`))
    }
  })

  test(`${platform} has nothing to say where one worker is what was due`, () => {
    equal(planWorkers(1, platform, 8).notice, null)
    equal(planWorkers(null, platform, 1).notice, null)
  })
}
