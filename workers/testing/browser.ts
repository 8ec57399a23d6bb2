import { accessSync, constants } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

/** Where Debian, other distributions and Google put it. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
]

/**
 * Why tests that need a browser are skipped, or false where there is one; `CHROMIUM` names one elsewhere. Where the tests
 * decide, with CI=true, they run, and fail without it.
 */
export function skipWithoutBrowser(what: string): string | false {
  if (findBrowser() !== null || process.env['CI'] === 'true') return false
  const reason = `Skipped without Chromium (apt-get install chromium, or set CHROMIUM): ${what}`
  console.log(reason)
  return reason
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser()
  if (executablePath === null)
    throw new Error('These tests need Chromium: apt-get install chromium, or set CHROMIUM')
  // The sandbox needs a user that is not root; the pages are our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

function findBrowser(): string | null {
  const given = process.env['CHROMIUM']
  return (given === undefined ? PLACES : [given]).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
