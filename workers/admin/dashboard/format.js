// How figures are written. What is not known is a dash.

export const NONE = '–'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const timeOfDay = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hour12: false })

/**
 * A count, exact: 1,234,567.
 *
 * @param {number | null} value
 * @returns {string}
 */
export function count(value) {
  return value === null ? NONE : whole.format(value)
}

/**
 * Three digits and what they are multiplied by: 0.25, 12.3, 4.56k, 17.8M.
 *
 * @param {number | null} value
 * @returns {string}
 */
export function short(value) {
  if (value === null) return NONE
  for (const [unit, suffix] of /** @type {const} */ ([
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k']
  ])) {
    if (Math.abs(value) >= unit * 0.9995) return threeDigits(value / unit) + suffix
  }
  return threeDigits(value)
}

/**
 * The same for an axis, where 1.50k stands beside 2k.
 *
 * @param {number | null} value
 * @returns {string}
 */
export function tick(value) {
  return short(value).replace(/\.0+(?=\D|$)|(\.\d*?)0+(?=\D|$)/, '$1')
}

/**
 * @param {number | null} value messages or requests per second
 * @returns {string}
 */
export function rate(value) {
  return value === null ? NONE : `${short(value)}/s`
}

/**
 * @param {number | null} seconds
 * @returns {string}
 */
export function duration(seconds) {
  if (seconds === null) return NONE
  if (seconds >= 0.9995) return `${threeDigits(seconds)} s`
  if (seconds >= 0.000_9995) return `${threeDigits(seconds * 1e3)} ms`
  return `${threeDigits(seconds * 1e6)} µs`
}

/**
 * @param {number | null} bytes
 * @returns {string}
 */
export function size(bytes) {
  if (bytes === null) return NONE
  for (const [unit, suffix] of /** @type {const} */ ([
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB']
  ])) {
    if (bytes >= unit * 0.9995) return `${threeDigits(bytes / unit)} ${suffix}`
  }
  return `${whole.format(bytes)} B`
}

/**
 * @param {number | null} share from 0 to 1
 * @returns {string}
 */
export function percent(share) {
  return share === null ? NONE : `${whole.format(share * 100)} %`
}

/**
 * The two largest units: 3 d 4 h, 5 min 12 s.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function age(seconds) {
  const total = Math.max(0, Math.floor(seconds))
  const parts = /** @type {const} */ ([
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's']
  ])
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

/**
 * @param {number} seconds since 1970
 * @returns {string}
 */
export function time(seconds) {
  return timeOfDay.format(seconds * 1000)
}

/**
 * @param {number} value
 * @returns {string}
 */
function threeDigits(value) {
  const size = Math.abs(value)
  if (size >= 99.95 || Number.isInteger(value)) return whole.format(value)
  return value.toFixed(size >= 9.995 ? 1 : 2)
}
