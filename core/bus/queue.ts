/** First in, first out, without moving what is behind the first. */
export class Queue<T> {
  #items: T[] = []
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  get first(): T | undefined {
    return this.#items[this.#first]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#first]
    if (item === undefined) return undefined
    this.#first++
    if (this.#first === this.#items.length) this.clear()
    else if (this.#first >= COMPACT_AT && this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#first = 0
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice(this.#first)[Symbol.iterator]()
  }
}

/** Far below this, what was shifted out is not worth a copy. */
const COMPACT_AT = 1024
