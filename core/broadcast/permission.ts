import type { Identity } from '../identity.ts'

/**
 * Who of the clients may do something with a channel: all of them, those whose identity is known, none, or those of whom a
 * function says `true`.
 */
export type Permission =
  | 'all'
  | 'identified'
  | 'none'
  | ((identity: Identity | null, channel: string) => boolean | Promise<boolean>)

export function isPermission(value: unknown): value is Permission {
  return typeof value === 'function' || value === 'all' || value === 'identified' || value === 'none'
}

/** @param identity null for a client that nobody knows */
export function permits(
  permission: Permission,
  identity: Identity | null,
  channel: string
): boolean | Promise<boolean> {
  if (typeof permission === 'function') return permission(identity, channel)
  return permission === 'all' || (permission === 'identified' && identity !== null)
}
