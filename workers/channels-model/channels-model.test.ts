import { test } from 'node:test'
import fc from 'fast-check'
import { schedules } from './commands.ts'
import { nothingHappened } from './happened.ts'
import type { Happened } from './happened.ts'
import { Stage } from './stage.ts'

/** How many schedules to try; CHANNEL_SCHEDULES=500 takes some minutes. */
const SCHEDULES = Number(process.env['CHANNEL_SCHEDULES'] ?? 30)
/** How long to look for a shorter schedule that fails, in milliseconds. */
const SHRINK_FOR = 60_000
/** To see a failure again: the seed and the path that its message has. */
const { CHANNEL_SEED: SEED, CHANNEL_PATH: PATH } = process.env

test('whatever clients do and workers die, each client gets what was published, or is told what it does not get', async (t) => {
  const stage = new Stage()
  const sums = nothingHappened()
  let failedAt: number | null = null
  let runs = 0
  const property = fc.asyncProperty(schedules, async (schedule) => {
    if (failedAt !== null && performance.now() - failedAt > SHRINK_FOR) return
    const world = await stage.open()
    let isWell = false
    try {
      for (const command of schedule) await world.step(command)
      await world.finish()
      isWell = true
      const { faults, transcripts } = world
      if (faults.length > 0) throw new Error(`${faults.slice(0, 10).join('\n')}\n\n${transcripts}`)
    } catch (error) {
      failedAt ??= performance.now()
      throw error
    } finally {
      await stage.close(world, isWell)
      runs++
      for (const [name, count] of Object.entries(world.happened)) sums[name as keyof Happened] += count
    }
  })
  try {
    await fc.assert(property, {
      numRuns: SCHEDULES,
      ...(SEED !== undefined && { seed: Number(SEED) }),
      ...(PATH !== undefined && { path: PATH })
    })
  } finally {
    t.diagnostic(`${runs} schedules: ${JSON.stringify(sums)}`)
    await stage.end()
  }
})
