interface Told {
  readonly count: number
  readonly members?: readonly { readonly id: string; readonly data?: unknown }[]
  readonly joined?: readonly { readonly id: string; readonly data?: unknown }[]
  readonly left?: readonly string[]
}

/** Who is in a channel, as a client knows it that takes what it is told. It throws on what contradicts what it was told before. */
export class PresenceView {
  count = 0
  /** Data by id; null while only the number is told. */
  members: Map<string, unknown> | null = null

  take(told: unknown): void {
    const { count, members, joined, left } = told as Told
    this.count = count
    if (members !== undefined) this.members = new Map(members.map(({ id, data }) => [id, data]))
    else if (joined === undefined && left === undefined) this.members = null
    else this.#change(joined ?? [], left ?? [])
    if (this.members !== null && this.members.size !== count)
      throw new Error(`${this.members.size} members are known, and ${count} were told`)
  }

  #change(joined: NonNullable<Told['joined']>, left: readonly string[]): void {
    const { members } = this
    if (members === null) throw new Error('A change came before the state')
    for (const id of left) if (!members.delete(id)) throw new Error(`${id} left and was not there`)
    for (const { id, data } of joined) members.set(id, data)
  }
}
