import { Chart } from './chart.js'
import { CHARTS } from './charts.js'
import { Connection } from './connection.js'
import { marked, write } from './elements.js'
import { Figures } from './figures.js'
import { age, count } from './format.js'
import { PastPoints } from './past.js'
import { ChannelTable, WorkerTable } from './tables.js'

/** @import { Now } from '../feed.ts' */

const past = new PastPoints()
const figures = new Figures(marked('place', 'figures'))
const charts = CHARTS.map((options) => new Chart(marked('place', 'charts'), options))
const workers = new WorkerTable(marked('place', 'workers'))
const channels = new ChannelTable(marked('place', 'channels'))

/** @type {Now | null} */
let latest = null
let isPaused = false
let isLost = false

const pause = marked('action', 'pause')
pause.addEventListener('click', () => {
  isPaused = !isPaused
  pause.setAttribute('aria-pressed', String(isPaused))
  showNotice()
  if (!isPaused) show()
})

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.restyle()
})

const connection = new Connection({
  onPast: (points) => past.take(points),
  onNow: (now) => {
    // Another version has other files.
    if (latest !== null && latest.status.version !== now.status.version) return location.reload()
    latest = now
    past.add(now)
    if (!isPaused) show()
  },
  onLost: (lost) => {
    isLost = lost
    document.documentElement.toggleAttribute('data-lost', lost)
    if (lost) setReadiness('lost', 'No connection')
    showNotice()
  }
})
connection.follow()

function show() {
  if (latest === null) return
  const { status, notReady } = latest
  write(marked('field', 'version'), status.version)
  write(marked('field', 'address'), status.address)
  write(marked('field', 'uptime'), age(status.uptime))
  write(marked('field', 'runtime'), status.runtime)
  write(marked('field', 'process'), String(status.pid))
  document.title = `Scherzo ${new URL(status.address).host}`
  if (!isLost) setReadiness(notReady === null ? 'ready' : 'not-ready', readinessOf(latest))
  figures.show(latest, past.points.at(-1))
  for (const chart of charts) chart.show(past.points, latest)
  workers.show(latest)
  channels.show(latest)
  write(marked('field', 'channel-count'), channelCount(latest))
}

/**
 * @param {Now} now
 * @returns {string}
 */
function readinessOf({ status, notReady }) {
  if (notReady !== null) return `Not ready: ${notReady}`
  return status.state === 'ready' ? 'Ready' : `Ready, ${status.state}`
}

/**
 * @param {Now} now
 * @returns {string}
 */
function channelCount({ channels }) {
  if (channels.count <= channels.rows.length) return channels.count === 0 ? '' : count(channels.count)
  return `the ${count(channels.rows.length)} with the most subscribers, of ${count(channels.count)}`
}

/**
 * @param {string} state
 * @param {string} text
 */
function setReadiness(state, text) {
  const badge = marked('field', 'readiness')
  badge.dataset['state'] = state
  write(badge, text)
}

function showNotice() {
  const notice = marked('field', 'notice')
  const text = isLost
    ? 'The server does not answer. These are the last figures; the page tries again every second.'
    : isPaused
      ? 'Paused. The figures are those of the moment when you paused.'
      : ''
  write(notice, text)
  notice.hidden = text === ''
}
