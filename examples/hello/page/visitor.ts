const NAMES = [
  'Ada',
  'Bela',
  'Clara',
  'Edvard',
  'Fanny',
  'Gustav',
  'Johann',
  'Lili',
  'Nadia',
  'Otto',
  'Rosa',
  'Tomas'
]

/** Who has this tab open: another one for each tab, and the same after a reload. */
export class Visitor {
  readonly id: string = kept('visitor', () => randomId())
  #name = kept('name', () => NAMES[Math.floor(Math.random() * NAMES.length)]!)

  get name(): string {
    return this.#name
  }

  set name(name: string) {
    this.#name = name
    sessionStorage.setItem('name', name)
  }
}

/** Pages without TLS, on another machine than this, have no randomUUID. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('')
}

function kept(key: string, make: () => string): string {
  const value = sessionStorage.getItem(key) ?? make()
  sessionStorage.setItem(key, value)
  return value
}
