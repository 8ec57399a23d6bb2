import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createCertificate } from '../../../workers/testing/certificate.ts'
import { temporaryFolder } from '../../../workers/testing/temporary-folder.ts'

/** The static files of the benchmark, about as long as its own, and their types. */
export const staticFiles: Readonly<Record<string, readonly [length: number, type: string]>> = {
  'reset.css': [8192, 'text/css'],
  'layout.css': [25_600, 'text/css'],
  'theme.css': [18_432, 'text/css'],
  'components.css': [204_800, 'text/css'],
  'utilities.css': [61_440, 'text/css'],
  'analytics.js': [12_288, 'text/javascript'],
  'helpers.js': [22_528, 'text/javascript'],
  'app.js': [204_800, 'text/javascript'],
  'vendor.js': [307_200, 'text/javascript'],
  'router.js': [35_840, 'text/javascript'],
  'header.html': [122_880, 'text/html'],
  'footer.html': [56_320, 'text/html'],
  'regular.woff2': [18_432, 'font/woff2'],
  'bold.woff2': [22_528, 'font/woff2'],
  'logo.svg': [15_344, 'image/svg+xml'],
  'icon-sprite.svg': [71_680, 'image/svg+xml'],
  'hero.webp': [46_080, 'image/webp'],
  'thumb1.webp': [8192, 'image/webp'],
  'thumb2.webp': [6144, 'image/webp'],
  'manifest.json': [2883, 'application/json']
}

/** One of what `/json` gives. */
export interface Item {
  readonly id: number
  readonly price: number
  readonly quantity: number
}

/** What the benchmark mounts in the container, made anew. */
export interface Mounts {
  readonly data: string
  readonly certificates: string
  /** What clients trust the entry with. */
  readonly ca: string
  readonly items: readonly Item[]
  readonly files: ReadonlyMap<string, Buffer>
}

export function createMounts(): Mounts {
  const items = Array.from({ length: 50 }, (_, index) => itemOf(index + 1))
  const files = new Map<string, Buffer>()
  const data = temporaryFolder({ 'dataset.json': JSON.stringify(items), 'static/.keep': '' })
  for (const [name, [length, type]] of Object.entries(staticFiles)) {
    const isText = !/woff2|webp/.test(type)
    const bytes = isText ? textOf(length) : randomBytes(length)
    files.set(name, bytes)
    const path = join(data, 'static', name)
    writeFileSync(path, bytes)
    if (!isText) continue
    writeFileSync(`${path}.br`, brotliCompressSync(bytes))
    writeFileSync(`${path}.gz`, gzipSync(bytes))
  }
  const { cert, key } = createCertificate()
  const certificates = temporaryFolder({ 'server.crt': cert, 'server.key': key })
  return { data, certificates, ca: cert, items, files }
}

function itemOf(id: number): Item & Readonly<Record<string, unknown>> {
  return {
    id,
    name: `Item "${id}" caf\u00e9`,
    category: id % 2 === 0 ? 'tools' : 'toys',
    price: 7 * id,
    quantity: 101 - id,
    active: id % 3 === 0,
    tags: ['new', `tag-${id}`].slice(0, id % 3),
    rating: { score: id, count: 1000 - id }
  }
}

function textOf(length: number): Buffer {
  const lines = Array.from({ length: length / 16 + 1 }, (_, index) => `line ${index} of a text\n`)
  return Buffer.from(lines.join('').slice(0, length))
}
