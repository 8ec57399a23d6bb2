/** The element with that id, which the page has. */
export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.querySelector<Kind>(`#${id}`)!
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  made.className = className
  made.append(...children)
  return made
}

export function time(at: number): HTMLTimeElement {
  const made = make(
    'time',
    '',
    new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  )
  made.dateTime = new Date(at).toISOString()
  return made
}

/** "1 message", "2 messages". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
