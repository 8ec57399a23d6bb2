import { COMPLETE, PARTIAL, RequestHead, scanHead } from '../core/http/scanner.ts'
import type { FastMethod } from '../core/http/scanner.ts'
import type { Answer } from './answer.ts'
import type { FastRoute } from './fast-route.ts'
import type { FastTable } from './table.ts'

/** One request that the fast lane will answer, and where it stands in the bytes that were read. */
export class FastCall {
  readonly route: FastRoute
  readonly method: FastMethod
  readonly start: number
  readonly targetStart: number
  readonly pathEnd: number
  readonly targetEnd: number
  readonly headersStart: number
  readonly end: number
  readonly close: boolean
  /** Of a static route: chosen once, since nothing but the request's bytes decides it. */
  answer: Answer | null

  constructor(route: FastRoute, start: number, head: RequestHead) {
    this.route = route
    this.method = head.method
    this.start = start
    this.targetStart = head.targetStart
    this.pathEnd = head.pathEnd
    this.targetEnd = head.targetEnd
    this.headersStart = head.headersStart
    this.end = head.end
    this.close = head.close
    this.answer = null
  }
}

/**
 * What some bytes mean to the fast lane. A pure function of the bytes and the table, so it may be kept and used again
 * for the same bytes.
 */
export interface Reading {
  readonly calls: readonly FastCall[]
  /** How many bytes the calls take up. */
  readonly consumed: number
  /**
   * What comes behind them: nothing (`idle`), a request that is not whole yet (`partial`), one for the main lane
   * (`main`), or nothing that still counts, because the last call closes the connection (`close`).
   */
  readonly next: 'idle' | 'partial' | 'main' | 'close'
}

const head = new RequestHead()

/** Reads pipelined requests up to the first that is not whole or not the fast lane's. */
export function readCalls(bytes: Buffer, table: FastTable): Reading {
  const calls: FastCall[] = []
  let at = 0
  while (at < bytes.length) {
    const result = scanHead(bytes, at, bytes.length, head)
    if (result !== COMPLETE) return { calls, consumed: at, next: result === PARTIAL ? 'partial' : 'main' }
    const route = table.find(bytes.toString('latin1', at, head.pathEnd))
    if (route === null) return { calls, consumed: at, next: 'main' }
    calls.push(new FastCall(route, at, head))
    at = head.end
    if (head.close) return { calls, consumed: at, next: 'close' }
  }
  return { calls, consumed: at, next: 'idle' }
}
