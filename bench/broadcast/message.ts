// What every server here publishes: a text message of the same length, with the place in the sequence and the time of
// publishing at fixed places before its end, so that a client reads them from the bytes without parsing JSON.

/** Of a whole message, envelope included. */
export const MESSAGE_BYTES = 140
export const SEQUENCE_DIGITS = 8
/** Microseconds since 1970. */
export const TIME_DIGITS = 16
/** `"}` of the JSON envelope, `"]` of Socket.IO's. */
export const BYTES_AFTER_SEQUENCE = 2

/** What a channel is called in every server and in the paths of Scherzo's endpoints. */
export function channelName(index: number): string {
  return `channel-${index}`
}

/** The message as a peer sends it, in the form of Scherzo's envelope. Sequences start at 0, offsets at 1. */
export function composeMessage(channel: string, sequence: number): string {
  return `{"channel":"${channel}","offset":${sequence + 1},"data":"${composeData(channel, sequence)}"}`
}

/** The data alone, where the server adds the envelope. */
export function composeData(channel: string, sequence: number): string {
  const envelope = `{"channel":"","offset":,"data":""}`.length + channel.length + digitsOf(sequence + 1)
  return compose(sequence, MESSAGE_BYTES - envelope)
}

/** As an event of Socket.IO, whose name is the channel's. */
export function composeEventData(channel: string, sequence: number): string {
  return compose(sequence, MESSAGE_BYTES - `42["",""]`.length - channel.length)
}

/** Comparable between processes on one machine. */
export function microsecondsNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

const FILLING = '.'.repeat(MESSAGE_BYTES)

function compose(sequence: number, bytes: number): string {
  const filling = FILLING.slice(0, bytes - TIME_DIGITS - SEQUENCE_DIGITS)
  return filling + microsecondsNow() + String(sequence).padStart(SEQUENCE_DIGITS, '0')
}

function digitsOf(value: number): number {
  return String(value).length
}
