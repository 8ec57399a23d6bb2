import { type Compression, type Format, formatOf, PLAIN } from '../format.ts'
import { paceOf } from '../pace.ts'

/** In milliseconds, of the formats below. */
export const LONGEST_WAIT = 3

const extension: Compression = { by: 'extension', level: 6, threshold: 20, windowBits: 15 }
const subprotocol: Compression = { ...extension, by: 'subprotocol' }
const soon = paceOf(3, 0, false)
const later = paceOf(100, LONGEST_WAIT, false)
const adaptive = paceOf(100, LONGEST_WAIT, true)

/** One of each kind. */
export const formats: readonly Format[] = [
  PLAIN,
  formatOf({ pace: null, isBinary: true, compression: null }),
  formatOf({ pace: null, isBinary: false, compression: extension }),
  formatOf({ pace: null, isBinary: false, compression: subprotocol }),
  formatOf({ pace: soon, isBinary: false, compression: null }),
  formatOf({ pace: soon, isBinary: true, compression: extension }),
  formatOf({ pace: later, isBinary: false, compression: extension }),
  formatOf({ pace: adaptive, isBinary: false, compression: subprotocol })
]
