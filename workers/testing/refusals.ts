import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { startScherzo } from './child.ts'
import type { Child } from './child.ts'
import { freePort, isFree } from './ports.ts'

export interface Refusal {
  /** Completes the sentence that begins with "refuses". */
  readonly what: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The line on stderr without its beginning, or what it must match where the words are Node's. */
  readonly says: string | RegExp
}

/** A test for each, which starts `scherzo` in the folder. */
export function testRefusals(folder: string, refusals: readonly Refusal[]): void {
  for (const { what, args, env, says } of refusals) {
    test(what, async () => {
      const port = await freePort()
      await refuses(startScherzo(args, { cwd: folder, env: { SCHERZO_PORT: `${port}`, ...env } }), says)
      ok(await isFree(port))
    })
  }
}

export async function refuses(child: Child, says: string | RegExp): Promise<void> {
  const { code, signal, stdout, stderr } = await child.ended
  deepEqual([code, signal, stdout], [1, null, ''])
  match(stderr, /^scherzo: [^\n]+\n$/)
  const line = stderr.slice('scherzo: '.length, -1)
  if (typeof says === 'string') equal(line, says)
  else match(line, says)
}
