import { element, write } from './elements.js'

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => string | number | null} value what it is sorted by
 * @property {(row: Row) => string} text
 * @property {boolean} [isText] names stand on the left and sort from A on; figures on the right, the largest first
 */

/**
 * A table that its reader sorts.
 *
 * @template Row
 */
export class Table {
  /** @type {readonly Column<Row>[]} */
  #columns
  /** @type {(row: Row) => string | number} */
  #key
  /** @type {Map<string | number, HTMLTableRowElement>} */
  #shown = new Map()
  #body = element('tbody')
  /** @type {HTMLTableCellElement[]} */
  #heads = []
  #empty
  #frame
  /** @type {readonly Row[]} */
  #rows = []
  #sorted
  #isDescending

  /**
   * @param {Element} place
   * @param {object} options
   * @param {string} options.label
   * @param {readonly Column<Row>[]} options.columns
   * @param {(row: Row) => string | number} options.key tells rows apart
   * @param {string} options.empty what is said when there are no rows
   * @param {number} options.sorted the column that it is sorted by at first
   * @param {boolean} options.isDescending
   */
  constructor(place, { label, columns, key, empty, sorted, isDescending }) {
    this.#columns = columns
    this.#key = key
    this.#sorted = sorted
    this.#isDescending = isDescending
    this.#empty = element('p', { class: 'empty' }, [empty])
    const head = element('tr')
    for (const [index, column] of columns.entries()) {
      const button = element('button', { type: 'button' }, [column.title])
      button.addEventListener('click', () => this.#sortBy(index))
      const cell = element('th', { scope: 'col' }, [button])
      if (column.isText === true) cell.classList.add('text')
      this.#heads.push(cell)
      head.append(cell)
    }
    const table = element('table', { 'aria-label': label }, [element('thead', {}, [head]), this.#body])
    // What is wider than the screen is scrolled with the arrow keys, too.
    this.#frame = element('div', { class: 'frame', role: 'region', 'aria-label': label, tabindex: '0' }, [
      table
    ])
    place.append(this.#frame, this.#empty)
    this.#draw()
  }

  /** @param {readonly Row[]} rows */
  show(rows) {
    this.#rows = rows
    this.#draw()
  }

  /** @param {number} index */
  #sortBy(index) {
    if (index === this.#sorted) this.#isDescending = !this.#isDescending
    else {
      this.#sorted = index
      this.#isDescending = this.#columns[index]?.isText !== true
    }
    this.#draw()
  }

  #draw() {
    for (const [index, head] of this.#heads.entries()) {
      const order = this.#isDescending ? 'descending' : 'ascending'
      head.setAttribute('aria-sort', index === this.#sorted ? order : 'none')
    }
    this.#frame.hidden = this.#rows.length === 0
    this.#empty.hidden = this.#rows.length > 0
    const rows = this.#sortedRows()
    const keys = new Set(rows.map((row) => this.#key(row)))
    for (const [key, line] of this.#shown) {
      if (keys.has(key)) continue
      line.remove()
      this.#shown.delete(key)
    }
    for (const [index, row] of rows.entries()) {
      const line = this.#line(this.#key(row))
      for (const [column, { text }] of this.#columns.entries()) {
        const cell = line.cells[column]
        if (cell !== undefined) write(cell, text(row))
      }
      // Rows that stand where they should are left alone.
      const there = this.#body.rows[index]
      if (there !== line) this.#body.insertBefore(line, there ?? null)
    }
  }

  #sortedRows() {
    const column = this.#columns[this.#sorted]
    if (column === undefined) return this.#rows
    const sign = this.#isDescending ? -1 : 1
    return this.#rows.toSorted((a, b) => sign * compare(column.value(a), column.value(b)))
  }

  /**
   * @param {string | number} key
   * @returns {HTMLTableRowElement}
   */
  #line(key) {
    const known = this.#shown.get(key)
    if (known !== undefined) return known
    const cells = this.#columns.map(({ isText }, index) => {
      const cell = element(index === 0 ? 'th' : 'td', index === 0 ? { scope: 'row' } : {})
      if (isText === true) cell.classList.add('text')
      return cell
    })
    const line = element('tr', {}, cells)
    this.#shown.set(key, line)
    return line
  }
}

/**
 * What is not known is less than anything.
 *
 * @param {string | number | null} a
 * @param {string | number | null} b
 * @returns {number}
 */
function compare(a, b) {
  if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b, 'en', { numeric: true })
  return Number(a ?? -Infinity) - Number(b ?? -Infinity) || 0
}
