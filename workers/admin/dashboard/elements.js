/**
 * The element with which the page marks a place, a field or an action.
 *
 * @param {'place' | 'field' | 'action'} kind
 * @param {string} name
 * @returns {HTMLElement}
 */
export function marked(kind, name) {
  const found = document.querySelector(`[data-${kind}="${name}"]`)
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${kind} ${name}`)
  return found
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {readonly (Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, children = []) {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.append(...children)
  return made
}

/**
 * Writes only what is new, so that nothing is laid out in vain and a selection stays.
 *
 * @param {Element} target
 * @param {string} text
 */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text
}
