import type { FastMethod } from '../core/http/scanner.ts'
import type { FastRoute } from './fast-route.ts'

/** The fast routes by method and exact path. Filled while the app starts, fixed from then on. */
export class FastTable {
  readonly #routes = new Map<string, FastRoute>()

  get size(): number {
    return this.#routes.size
  }

  add(method: FastMethod, path: string, route: FastRoute): void {
    this.#routes.set(`${method} ${path}`, route)
  }

  /**
   * @param start the request line up to the end of the path, "GET /plaintext": one string for one look-up
   * @returns null where the main lane has to answer
   */
  find(start: string): FastRoute | null {
    return this.#routes.get(start) ?? null
  }
}
