import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Makes a folder outside the repository that is gone when the process ends.
 *
 * @param files contents by relative path
 */
export function temporaryFolder(files: Readonly<Record<string, string>> = {}): string {
  // Node names a module by its real path, and messages do too.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'scherzo-')))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), contents)
  }
  return folder
}
