import { element, write } from './elements.js'
import { time } from './format.js'
import { HEIGHT, plotOptions } from './plot-options.js'
import uPlot from './uplot.js'

/** @import { Point } from '../point.ts' */
/** @import { Now } from '../feed.ts' */

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {number} color from 1 to 8: those of the style sheet
 * @property {(point: Point) => number | null} value
 * @property {boolean} [isDashed]
 */

/**
 * @typedef {object} ChartOptions
 * @property {string} title
 * @property {(points: readonly Point[]) => readonly Line[]} lines
 * @property {(value: number | null) => string} format
 * @property {(value: number) => string} [axisFormat]
 * @property {'linear' | 'share' | 'logarithmic'} scale
 * @property {number} [least] how far a linear scale reaches at least; 4 if it is left out
 * @property {string} empty what is said while no line has a value
 * @property {(now: Now) => string} [note] stands beside the title
 * @property {(points: readonly Point[], now: Now) => boolean} [isShown]
 */

/** A chart of the last five minutes, with a legend that has the figures under the pointer, or the latest ones. */
export class Chart {
  /** @type {ChartOptions} */
  #options
  #root
  #note = element('span', { class: 'note' })
  #legend = element('ul', { class: 'legend' })
  #canvas
  #empty
  /** @type {uPlot | null} */
  #plot = null
  /** @type {readonly Line[]} */
  #lines = []
  /** @type {HTMLElement[]} */
  #values = []
  #clock = element('li', { class: 'clock' })
  /** @type {readonly Point[]} */
  #points = []

  /**
   * @param {Element} place
   * @param {ChartOptions} options
   */
  constructor(place, options) {
    this.#options = options
    this.#empty = element('p', { class: 'empty' }, [options.empty])
    this.#canvas = element('div', {
      class: 'canvas',
      tabindex: '0',
      role: 'img',
      'aria-label': options.title
    })
    this.#root = element('figure', { 'data-chart': options.title }, [
      element('figcaption', {}, [element('h2', {}, [options.title]), this.#note]),
      this.#legend,
      this.#canvas
    ])
    // Whether there is a pool, or compression, is known when the first figures are here.
    this.#root.hidden = options.isShown !== undefined
    place.append(this.#root)
    this.#canvas.append(this.#empty)
    this.#canvas.addEventListener('keydown', (event) => this.#move(event))
    this.#canvas.addEventListener('blur', () => this.#leave())
    new ResizeObserver(() => this.#resize()).observe(this.#canvas)
  }

  /**
   * @param {readonly Point[]} points
   * @param {Now} now
   */
  show(points, now) {
    this.#points = points
    const { isShown, note } = this.#options
    this.#root.hidden = isShown !== undefined && !isShown(points, now)
    if (this.#root.hidden) return
    write(this.#note, note?.(now) ?? '')
    const lines = this.#options.lines(points)
    if (lines.map(({ label }) => label).join() !== this.#lines.map(({ label }) => label).join())
      this.#setLines(lines)
    else this.#lines = lines
    this.#draw()
  }

  /** Draws with the colours of the style sheet as they are now. */
  restyle() {
    this.#plot?.destroy()
    this.#plot = null
    this.#draw()
  }

  /** @param {readonly Line[]} lines */
  #setLines(lines) {
    this.#lines = lines
    this.#values = lines.map(() => element('b'))
    const items = lines.map(({ label, color, isDashed }, index) => {
      const swatch = element('i', { 'data-color': String(color), 'data-dash': String(isDashed === true) })
      return element('li', {}, [swatch, `${label} `, /** @type {HTMLElement} */ (this.#values[index])])
    })
    this.#legend.replaceChildren(...items, this.#clock)
    this.#plot?.destroy()
    this.#plot = null
  }

  #draw() {
    const data = this.#data()
    this.#empty.hidden = data.slice(1).some((values) => values.some((value) => value !== null))
    if (this.#canvas.clientWidth === 0) return
    if (this.#plot === null) this.#plot = this.#newPlot(data)
    else this.#plot.setData(data)
    this.#tell()
  }

  /** @returns {[number[], ...(number | null)[][]]} */
  #data() {
    const times = this.#points.map((point) => point.time)
    return [times, ...this.#lines.map(({ value }) => this.#points.map(value))]
  }

  /**
   * @param {uPlot.AlignedData} data
   * @returns {uPlot}
   */
  #newPlot(data) {
    const options = plotOptions(this.#options, this.#lines, {
      width: this.#canvas.clientWidth,
      end: () => this.#points.at(-1)?.time ?? Date.now() / 1000,
      onCursor: () => this.#tell()
    })
    return new uPlot(options, data, this.#canvas)
  }

  /** Writes the figures of the point under the cursor, or of the latest one. */
  #tell() {
    const index = this.#plot?.cursor.idx ?? null
    const point = index === null ? undefined : this.#points[index]
    const shown = point ?? this.#points.at(-1)
    const parts = this.#lines.map(({ label, value }, line) => {
      const text = this.#options.format(shown === undefined ? null : value(shown))
      const target = this.#values[line]
      if (target !== undefined) write(target, text)
      return `${label} ${text}`
    })
    write(this.#clock, point === undefined ? '' : time(point.time))
    this.#canvas.setAttribute('aria-label', `${this.#options.title}: ${parts.join(', ')}`)
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const plot = this.#plot
    const last = this.#points.length - 1
    if (plot === null || last < 0) return
    if (event.key === 'Escape') return this.#leave()
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -last, End: last }
    const step = steps[/** @type {keyof typeof steps} */ (event.key)]
    if (step === undefined) return
    event.preventDefault()
    const index = Math.min(Math.max((plot.cursor.idx ?? last) + step, 0), last)
    const point = this.#points[index]
    if (point === undefined) return
    this.#legend.setAttribute('aria-live', 'polite')
    plot.setCursor({ left: plot.valToPos(point.time, 'x'), top: 0 })
  }

  #leave() {
    this.#legend.removeAttribute('aria-live')
    this.#plot?.setCursor({ left: -10, top: -10 })
  }

  #resize() {
    const width = this.#canvas.clientWidth
    if (width === 0) return
    if (this.#plot === null) this.#draw()
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT })
  }
}
