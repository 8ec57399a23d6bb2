#!/usr/bin/env node
import { ScherzoError } from '../core/errors.ts'

// The `scherzo` command. It looks at the version of Node before it loads anything that an old one does not have.

const NEEDED = '22.18.0'

if (isOlder(process.versions.node, NEEDED)) {
  fail(new ScherzoError('SCZ_ERR_NODE_VERSION', [NEEDED, process.versions.node]))
} else {
  const { runCommand } = await import('./command.ts')
  await runCommand(process.argv.slice(2)).catch(fail)
}

function isOlder(version: string, needed: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number)
  return major < neededMajor || (major === neededMajor && minor < neededMinor)
}

function fail(error: unknown): void {
  // What is not in the catalogue is a fault of Scherzo's own, and its stack helps to find it.
  console.error(error instanceof ScherzoError ? `scherzo: ${error.message}` : error)
  process.exitCode = 1
}
