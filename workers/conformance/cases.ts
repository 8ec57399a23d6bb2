import { capabilities } from './capabilities.ts'
import type { ConformanceCase } from './case.ts'
import { compliance } from './compliance.ts'
import { cookies } from './cookies.ts'
import { desync } from './desync.ts'
import { malformed } from './malformed.ts'
import { normalization } from './normalization.ts'
import { smuggling } from './smuggling.ts'
import { websocket } from './websocket.ts'

export const conformanceCases: readonly ConformanceCase[] = [
  ...compliance,
  ...websocket,
  ...smuggling,
  ...desync,
  ...malformed,
  ...normalization,
  ...capabilities,
  ...cookies
]
