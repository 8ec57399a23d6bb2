type Attributes = Readonly<Record<string, string | number>>

/** An element with its attributes, text or children escaped only where they are text. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(value))}"`)
  const start = `<${name}${written.join('')}`
  return children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(content))
}

/** A whole picture that follows the reader's light or dark scheme. */
export function picture(title: string, width: number, height: number, children: readonly string[]): string {
  const parts = [
    element('title', {}, escapeText(title)),
    element('style', {}, STYLE),
    element('rect', { class: 'ground', width, height, rx: 6 }),
    text(title, { class: 'heading', x: MARGIN, y: 26 }),
    ...children
  ]
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, role: 'img' }
  return `${element('svg', { ...attributes, width, height }, '\n', parts.join('\n'), '\n')}\n`
}

/** The classes of the series, in their order. */
export function seriesClass(index: number): string {
  return `series-${index % COLOURS.length}`
}

/** Of a number that stands beside a mark: three digits, and k or M behind thousands. */
export function inShort(value: number): string {
  if (value >= 1e6) return `${precise(value / 1e6)} M`
  if (value >= 1e4) return `${precise(value / 1e3)} k`
  return precise(value)
}

export const MARGIN = 16

/** Told apart by people who see colours differently, too (Okabe and Ito, 2008), on light and dark ground. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#f0874a'],
  ['#00805f', '#2fc39b'],
  ['#a3527f', '#d996bd'],
  ['#7d6608', '#d9b93b'],
  ['#555555', '#aaaaaa']
]

const STYLE: string = `
svg { font: 13px system-ui, sans-serif; }
.ground { fill: #ffffff; } text { fill: #222222; } .quiet { fill: #666666; }
.heading { font-size: 15px; font-weight: 600; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: #dddddd; } .mark { stroke: #222222; } .line { fill: none; stroke-width: 2; }
${COLOURS.map(([light], index) => seriesStyle(index, light)).join('\n')}
@media (prefers-color-scheme: dark) {
.ground { fill: #15181c; } text { fill: #e6e6e6; } .quiet { fill: #a0a0a0; }
.grid { stroke: #343a40; } .mark { stroke: #e6e6e6; }
${COLOURS.map(([, dark], index) => seriesStyle(index, dark)).join('\n')}
}
`

function seriesStyle(index: number, colour: string): string {
  return `.series-${index} { fill: ${colour}; } .line.series-${index} { fill: none; stroke: ${colour}; }`
}

function precise(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US')
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
