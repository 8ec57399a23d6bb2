import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import type { Settings } from '../core/settings.ts'
import { planWorkers } from './plan.ts'

const balancing = ['linux', 'freebsd', 'aix', 'sunos'] as const
const others = ['darwin', 'win32', 'openbsd', 'netbsd', 'android', 'cygwin', 'haiku'] as const

for (const platform of balancing) {
  test(`${platform} runs a worker for each core that share the port`, () => {
    deepEqual(planWorkers(asking(null), platform, 8), {
      workers: 8,
      poolThreads: 0,
      reusePort: true,
      notice: null
    })
  })

  test(`${platform} runs as many workers as asked for, more than cores too`, () => {
    deepEqual(planWorkers(asking(1), platform, 8), {
      workers: 1,
      poolThreads: 0,
      reusePort: true,
      notice: null
    })
    deepEqual(planWorkers(asking(16), platform, 8), {
      workers: 16,
      poolThreads: 0,
      reusePort: true,
      notice: null
    })
  })
}

for (const platform of others) {
  test(`${platform} runs one worker alone on its port, and says so where more were due`, () => {
    for (const asked of [null, 2]) {
      const { workers, reusePort, notice } = planWorkers(asking(asked), platform, 8)
      deepEqual([workers, reusePort], [1, false])
      match(notice ?? '', new RegExp(`^Running one worker: ${platform} does not spread`))
    }
  })

  test(`${platform} has nothing to say where one worker is what was due`, () => {
    equal(planWorkers(asking(1), platform, 8).notice, null)
    equal(planWorkers(asking(null), platform, 1).notice, null)
  })
}

test('multithread shares two pool threads a core out among the workers, one each at least', () => {
  deepEqual(poolThreads(null, null, 4), 2)
  deepEqual(poolThreads(1, null, 4), 8)
  deepEqual(poolThreads(16, null, 4), 1)
  deepEqual(poolThreads(2, 3, 4), 3)
})

function asking(workers: number | null): Pick<Settings, 'workers' | 'runtime' | 'poolThreads'> {
  return { workers, runtime: 'current_thread', poolThreads: null }
}

function poolThreads(workers: number | null, asked: number | null, cores: number): number {
  return planWorkers({ workers, runtime: 'multithread', poolThreads: asked }, 'linux', cores).poolThreads
}
