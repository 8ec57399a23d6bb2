import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'

/** Content codings that static values are held in, the one we prefer among equals first. */
export const encodings = ['br', 'zstd', 'gzip'] as const
export type Encoding = (typeof encodings)[number]

/** Smaller bodies fit one packet anyway. */
export const COMPRESSION_MINIMUM = 1024

/** Compresses as hard as the coding can: it happens once, at the start. */
export function compress(encoding: Encoding, bytes: Uint8Array): Uint8Array {
  switch (encoding) {
    case 'br':
      return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } })
    case 'gzip':
      return gzipSync(bytes, { level: 9 })
  }
}

/**
 * Chooses among `available` by an Accept-Encoding header (RFC 9110 section 12.5.3): the highest weight wins, then our
 * own order. Null means to send the value as it is; what the client did not ask for it does not get.
 */
export function chooseEncoding(acceptEncoding: string, available: readonly Encoding[]): Encoding | null {
  const weights = weightsIn(acceptEncoding)
  const anyOther = weights.get('*') ?? 0
  const weightOf = (coding: string): number => weights.get(coding) ?? anyOther

  let best: Encoding | null = null
  let bestWeight = weights.get('identity') ?? 0
  for (const encoding of encodings) {
    if (!available.includes(encoding)) continue
    const weight = weightOf(encoding)
    if (weight > bestWeight || (weight === bestWeight && best === null && weight > 0)) {
      best = encoding
      bestWeight = weight
    }
  }
  return best
}

function weightsIn(acceptEncoding: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const item of acceptEncoding.split(',')) {
    const [coding = '', ...parameters] = item.split(';')
    const name = coding.trim().toLowerCase()
    if (name === '') continue
    weights.set(name === 'x-gzip' ? 'gzip' : name, weightIn(parameters))
  }
  return weights
}

/** `q` from 0 to 1 with at most three digits (RFC 9110 section 12.4.2); what is no weight excludes the coding. */
function weightIn(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name.trim().toLowerCase() !== 'q') continue
    return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(value.trim()) ? Number(value) : 0
  }
  return 1
}
