import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Editors write a file in several steps; what comes within so many milliseconds is one change. */
const SETTLE = 100

/** Watches files for changes, through their directories: most editors replace a file instead of writing to it. */
export class WatchedFiles {
  readonly #onChange: () => void
  readonly #directories = new Map<string, FSWatcher>()
  #files: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | null = null

  constructor(files: readonly string[], onChange: () => void) {
    this.#onChange = onChange
    this.watch(files)
  }

  /** Watches these files from now on. */
  watch(files: readonly string[]): void {
    this.#files = new Set(files)
    const wanted = new Set(files.map((file) => dirname(file)))
    for (const [directory, watcher] of this.#directories) {
      if (wanted.has(directory)) continue
      watcher.close()
      this.#directories.delete(directory)
    }
    for (const directory of wanted) {
      if (!this.#directories.has(directory)) this.#directories.set(directory, this.#open(directory))
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const watcher of this.#directories.values()) watcher.close()
    this.#directories.clear()
  }

  #open(directory: string): FSWatcher {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null || this.#isOurs(directory, name)) this.#changed()
    })
    // A directory that goes away is no longer watched; the app fails to load by itself then.
    watcher.on('error', () => watcher.close())
    return watcher
  }

  #isOurs(directory: string, name: string): boolean {
    for (const file of this.#files) if (dirname(file) === directory && basename(file) === name) return true
    return false
  }

  #changed(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onChange, SETTLE)
  }
}
