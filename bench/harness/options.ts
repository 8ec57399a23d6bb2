export function parsePositive(name: string, text: string, isKind: (value: number) => boolean): number {
  const value = Number(text)
  if (!isKind(value) || value <= 0) throw new Error(`${name} takes positive numbers, not "${text}"`)
  return value
}

export function parseList<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((item) => {
    const found = known.find((one) => one === item)
    if (found === undefined) throw new Error(`${name} takes ${known.join(', ')}, not "${item}"`)
    return found
  })
}
