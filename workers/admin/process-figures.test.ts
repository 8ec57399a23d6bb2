import { ok } from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readProcessFigures } from './process-figures.ts'

const skip = process.platform === 'linux' ? false : 'this system does not tell'

test('the process has used time and memory since it started', async () => {
  const { cpuUser, cpuSystem, residentMemory, startedAt } = await readProcessFigures()
  ok(cpuUser > 0 && cpuSystem >= 0)
  ok(residentMemory > 2 ** 20)
  ok(startedAt > 0 && startedAt * 1000 < Date.now())
})

test('open files are open descriptors', { skip }, async () => {
  const before = await readProcessFigures()
  const files = await Promise.all(Array.from({ length: 50 }, () => open(fileURLToPath(import.meta.url))))
  const after = await readProcessFigures()
  for (const file of files) await file.close()
  // Node opens and closes some of its own meanwhile.
  ok(Math.abs(after.openDescriptors! - before.openDescriptors! - files.length) < 10)
  ok(after.maxDescriptors === null || after.maxDescriptors >= after.openDescriptors!)
})
