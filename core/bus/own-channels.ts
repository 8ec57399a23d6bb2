/** Channels whose names begin with it are the instance's own: no broker carries them. Nobody else can name them. */
const OWN = '\0'

export function ownNameOf(name: string): string {
  return OWN + name
}

export function isOwnName(name: string): boolean {
  return name.startsWith(OWN)
}
