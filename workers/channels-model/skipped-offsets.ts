/**
 * The offsets that `skipped` notices name. A range says how many in it were left out, not which: those that do not come,
 * and as many.
 */
export class SkippedOffsets {
  readonly #ranges: { readonly from: number; readonly to: number }[] = []
  /** How many that were told as skipped have not been missed. */
  rest = 0

  add(from: number, to: number, count: number): void {
    this.#ranges.push({ from, to })
    this.rest += count
  }

  /** The first offset from this one on that no range has. */
  endOf(offset: number): number {
    let end = offset
    for (let range = this.#rangeOf(end); range !== undefined; range = this.#rangeOf(end)) end = range.to + 1
    return end
  }

  /** The client goes over these without having got them. @returns the first that may not be missing, or null */
  pass(from: number, to: number): number | null {
    for (let offset = from; offset < to; offset++) {
      if (this.rest === 0 || this.#rangeOf(offset) === undefined) return offset
      this.rest--
    }
    return null
  }

  #rangeOf(offset: number): { readonly from: number; readonly to: number } | undefined {
    return this.#ranges.find(({ from, to }) => offset >= from && offset <= to)
  }
}
