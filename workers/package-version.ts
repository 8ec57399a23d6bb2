import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** The version of Scherzo that runs. */
export function packageVersion(): string {
  const file = findPackageJSON(import.meta.url)
  return file === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
