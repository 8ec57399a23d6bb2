import { readFileSync } from 'node:fs'

/** What an entry's dockerfile says. */
export interface Dockerfile {
  /** Of the entry's files, those that are in the image. */
  readonly copied: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly exposed: readonly number[]
  readonly command: readonly string[]
}

/** The one command that an image is built with. */
const INSTALL = 'npm install --omit=dev'

/** Reads a dockerfile; fails for an instruction that an image here would not carry out. */
export function readDockerfile(path: string): Dockerfile {
  const copied: string[] = []
  const environment: Record<string, string> = {}
  const exposed: number[] = []
  let command: readonly string[] = []
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const [instruction = '', rest = ''] = divide(line, ' ')
    switch (instruction) {
      case 'FROM':
      case 'WORKDIR':
        break
      case 'COPY': {
        const files = rest.split(' ')
        if (files.pop() !== './') throw new Error(`It copies to another folder: ${line}`)
        copied.push(...files)
        break
      }
      case 'RUN':
        if (rest !== INSTALL) throw new Error(`It runs another command than "${INSTALL}": ${line}`)
        break
      case 'ENV': {
        const [name = '', value = ''] = divide(rest, '=')
        environment[name] = value
        break
      }
      case 'EXPOSE':
        exposed.push(...rest.split(' ').map(Number))
        break
      case 'CMD':
        command = JSON.parse(rest) as string[]
        break
      default:
        throw new Error(`An instruction that no test carries out: ${line}`)
    }
  }
  return { copied, environment, exposed, command }
}

function divide(text: string, by: string): [string, string] {
  const at = text.indexOf(by)
  return [text.slice(0, at), text.slice(at + 1)]
}
