import type { Client, Subscription } from 'scherzo/client'
import type { Channels, Tick } from '../channels.ts'
import { element, make } from './elements.ts'

/** How many prices of an instrument the line has. */
const POINTS = 40

interface Row {
  readonly price: HTMLElement
  readonly change: HTMLElement
  readonly line: SVGPolylineElement
  readonly prices: number[]
}

/** The ticker: a row for each instrument, with the way its price has taken. */
export class Ticker {
  readonly #client: Client<Channels>
  readonly #rows = new Map<string, Row>()

  constructor(client: Client<Channels>) {
    this.#client = client
  }

  async begin(): Promise<Subscription<unknown>> {
    const { epoch, offset, messages } = await this.#client.history('ticks', { limit: 6 * POINTS })
    for (const { data } of messages) this.#take(data)
    return this.#client.subscribe('ticks', (data) => this.#take(data), { since: { epoch, offset } })
  }

  #take({ instrument, price }: Tick): void {
    const row = this.#rows.get(instrument) ?? this.#add(instrument)
    const before = row.prices.at(-1) ?? price
    row.prices.push(price)
    if (row.prices.length > POINTS) row.prices.shift()
    row.price.textContent = price.toFixed(2)
    row.line.setAttribute('points', pointsOf(row.prices))
    if (price === before) return
    row.change.textContent = `${price < before ? '▼' : '▲'} ${Math.abs(price - before).toFixed(2)}`
    row.change.className = price < before ? 'down' : 'up'
  }

  #add(instrument: string): Row {
    const chart = svg('svg')
    const line = svg('polyline')
    chart.setAttribute('viewBox', `0 0 ${POINTS - 1} 20`)
    chart.setAttribute('preserveAspectRatio', 'none')
    chart.setAttribute('aria-hidden', 'true')
    chart.append(line)
    const [price, change] = [make('td', 'price'), make('span', '')]
    const name = make('th', '', instrument)
    name.scope = 'row'
    element('ticks').append(
      make('tr', '', name, make('td', 'way', chart), price, make('td', 'change', change))
    )
    const row = { price, change, line, prices: [] }
    this.#rows.set(instrument, row)
    return row
  }
}

/** The highest price on top, the newest on the right. */
function pointsOf(prices: readonly number[]): string {
  const [low, high] = [Math.min(...prices), Math.max(...prices)]
  const first = POINTS - prices.length
  return prices
    .map((price, index) => `${first + index},${(19 - (18 * (price - low)) / (high - low || 1)).toFixed(2)}`)
    .join(' ')
}

function svg<Name extends 'svg' | 'polyline'>(name: Name): SVGElementTagNameMap[Name] {
  return document.createElementNS('http://www.w3.org/2000/svg', name)
}
