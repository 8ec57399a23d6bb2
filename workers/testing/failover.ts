import { deepEqual, equal, fail, ok } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Place } from '../../core/bus/broker.ts'
import type { Published } from '../../core/bus/settler.ts'
import type { Instance, TestMember, Told } from './instances.ts'

/** For what takes seconds, and more where the machine is busy. A test that fails has to end, so there is a last round. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; !(await condition()); round++) {
    if (round === 3000) throw new Error(`In vain: ${condition.toString()}`)
    await delay(20)
  }
}

interface Answered extends Published {
  readonly text: string
}

/** Publishes at an instance without a break, and does not wait for answers. */
export class Flow {
  readonly answered: Answered[] = []
  readonly refused: string[] = []
  readonly #instance: Instance
  readonly #channel: string
  readonly #name: string
  readonly #underWay = new Set<Promise<void>>()
  #count = 0
  #isOver = false
  readonly #ended: Promise<void>

  constructor(instance: Instance, channel: string, name: string) {
    this.#instance = instance
    this.#channel = channel
    this.#name = name
    this.#ended = this.#run()
  }

  /** How many have been answered in the epoch of the last answer, where that is another one than this. */
  countBeside(epoch: string): number {
    const last = this.answered.at(-1)
    return last === undefined || last.epoch === epoch
      ? 0
      : this.answered.filter((each) => each.epoch === last.epoch).length
  }

  /** Resolves when everything is answered. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#ended
    await Promise.all(this.#underWay)
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      for (let index = 0; index < 3; index++) this.#publish()
      await delay(5)
    }
  }

  #publish(): void {
    const text = `${this.#name} ${++this.#count}`
    const published = this.#instance.hubs[0]!.publish(this.#channel, text).then(
      (place) => void this.answered.push({ ...place, text }),
      (error: unknown) => void this.refused.push(String((error as { code: unknown }).code))
    )
    this.#underWay.add(published)
    void published.finally(() => this.#underWay.delete(published))
  }
}

/**
 * All have to see the same. What was answered in the last epoch every member has, once and in order; what was answered in the one
 * before it has as well, unless it comes behind all that the member had of it when it was told that the channel has begun anew.
 *
 * @param start of the last message before they came
 * @returns the epochs in their order
 */
export function assertAgreement(
  channel: string,
  start: Place,
  members: readonly TestMember[],
  flows: readonly Flow[]
): string[] {
  const textAt = new Map<string, string>()
  const note = (epoch: string, offset: number, text: string): void => {
    const place = `${epoch}:${offset}`
    const known = textAt.get(place) ?? text
    equal(text, known, `two messages at ${place}`)
    textAt.set(place, text)
  }
  for (const { answered } of flows) {
    const lastOf = new Map<string, number>()
    for (const { epoch, offset, text } of answered) {
      note(epoch, offset, text)
      ok(offset > (lastOf.get(epoch) ?? 0), `${text} is before one that was published earlier`)
      lastOf.set(epoch, offset)
    }
  }
  let epochs: string[] = []
  for (const { told } of members) {
    const had = new Set<string>()
    epochs = [start.epoch]
    let last = start.offset
    for (const { channel: of, offset, data, epoch, lost } of told as readonly Told[]) {
      if (of !== channel) continue
      if (lost !== undefined && epoch !== undefined) {
        equal(lost.from, 1)
        equal(epochs.includes(epoch), false, 'an epoch comes back')
        epochs.push(epoch)
        last = lost.to
      } else if (lost !== undefined) {
        fail(`lost ${lost.from} to ${lost.to}, though the channel has a history`)
      } else if (offset !== undefined) {
        equal(offset, last + 1)
        last = offset
        const text = String(data)
        note(epochs.at(-1)!, offset, text)
        equal(had.has(text), false, `${text} comes twice`)
        had.add(text)
      }
    }
    const current = epochs.at(-1)!
    const missing = flows.flatMap(({ answered }) =>
      answered.filter(({ epoch, text }) => epoch === current && !had.has(text)).map(({ text }) => text)
    )
    deepEqual(missing, [])
  }
  return epochs
}
