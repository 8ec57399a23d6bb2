import { getCallSites } from 'node:util'

/**
 * Plugins that hook into every request but act only on upgrades and uploads (read in their source, 2026-11). They are known
 * by the file that the call comes from, so that a hook of the app itself is never mistaken for theirs.
 */
const INDIFFERENT = /[/\\]node_modules[/\\]@fastify[/\\](?:websocket|multipart)[/\\]/

/** Whether the function that asks was called by one of these plugins. */
export function isIndifferentPlugin(): boolean {
  return INDIFFERENT.test(getCallSites(3)[2]?.scriptName ?? '')
}
