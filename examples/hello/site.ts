import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type { FastifyInstance } from 'fastify'

/** The page may load what this server has, and nothing else. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

const DOCS = new URL('../../docs/', import.meta.url)

/** The page, its files and the documentation: constants, held in compressed forms and answered by the fast lane. */
export function serveSite({ fast }: FastifyInstance): void {
  const cacheControl = 'no-cache'
  fast.html('/', { cacheControl, headers: PAGE_HEADERS }, read('page/index.html'))
  fast.route('/page.css', { cacheControl, headers: typed('text/css') }, read('page/page.css'))
  fast.route('/page.js', { cacheControl, headers: typed('text/javascript') }, bundle())
  fast.route('/icon.svg', { cacheControl, headers: typed('image/svg+xml') }, read('page/icon.svg'))
  fast.text('/docs/README.md', { cacheControl }, read('../../README.md'))
  for (const name of readdirSync(DOCS))
    fast.text(`/docs/${name}`, { cacheControl }, read(`../../docs/${name}`))
}

/** Browsers run no TypeScript: the page and the client that it imports become one module, each time the app is loaded. */
function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('page/main.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false
  })
  return outputFiles[0]!.text
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

function typed(type: string): Record<string, string> {
  return { 'content-type': `${type}; charset=utf-8`, 'x-content-type-options': 'nosniff' }
}
