/** The tables of a TOML file of nothing but strings; dotted keys stay as they are written. */
export function parseToml(text: string): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>()
  let table: Map<string, string> | null = null
  for (const line of text.split('\n').filter(Boolean)) {
    const [, name] = /^\[([\w-]+)\]$/.exec(line) ?? []
    const [, key, value] = /^([\w.]+) = "([^"\\]*)"$/.exec(line) ?? []
    if (name !== undefined && !tables.has(name)) tables.set(name, (table = new Map()))
    else if (key !== undefined && value !== undefined && table?.has(key) === false) table.set(key, value)
    else throw new Error(`Not a line of this TOML: ${line}`)
  }
  return tables
}
