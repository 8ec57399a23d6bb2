import type { HubData } from '../core/broadcast/hub.ts'

/**
 * What each channel carries. Apps declare theirs, and the compiler then holds `publish` to it; while nobody does, any channel
 * carries anything. Clients take the same interface, `connect<Channels>()` of `scherzo/client`.
 *
 * @example
 * interface Channels {
 *   ticks: { price: number }
 *   [room: `room:${string}`]: ChatMessage
 * }
 * declare module 'scherzo' {
 *   interface HubChannels extends Channels {}
 * }
 */
export interface HubChannels {}

/** The names of the channels that are declared, or all. */
export type HubChannelName = [keyof HubChannels] extends [never] ? string : Extract<keyof HubChannels, string>

/** What a channel carries. */
export type HubChannelData<Name> = Name extends keyof HubChannels ? HubChannels[Name] : HubData
