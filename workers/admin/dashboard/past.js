/** @import { Point } from '../point.ts' */
/** @import { Now, Past } from '../feed.ts' */

/** As many points as the server keeps: five minutes. */
const POINTS = 300

/** The points of the charts, the oldest first. */
export class PastPoints {
  /** @type {Point[]} */
  points = []
  /** @type {number | null} */
  #server = null

  /** @param {Past} past */
  take({ server, isWhole, points }) {
    if (isWhole || server !== this.#server) this.points = []
    this.#server = server
    for (const point of points) this.#add(point)
  }

  /** @param {Now} now */
  add({ point }) {
    if (point !== null) this.#add(point)
  }

  /** @param {Point} point */
  #add(point) {
    // What came with the history may come again as an event.
    if (point.number <= (this.points.at(-1)?.number ?? 0)) return
    this.points.push(point)
    if (this.points.length > POINTS) this.points.shift()
  }
}
