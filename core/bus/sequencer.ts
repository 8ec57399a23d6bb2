import type { Channel, Connection } from './connection.ts'
import { Doorbell } from './doorbell.ts'
import { Log } from './log.ts'
import { CLOSED, INBOX_DOORBELL, LOG_DATA, SPACE_DOORBELL } from './memory.ts'
import { receiveLarge } from './large.ts'
import type { Relay } from './relay/relay.ts'
import {
  CHANNEL,
  DATA_LENGTH,
  FLAGS,
  FLAG_LARGE,
  FLAG_NEW_SLOT,
  FLAG_ONCE,
  OFFSET,
  SEQUENCE,
  SIZE,
  channelNameAt,
  metaAt
} from './record.ts'
import type { PublishedKeys } from './published-keys.ts'
import { WRAP, copyRecords } from './ring.ts'

/** How much of one inbox is taken before the next one has its turn. */
const SHARE_BYTES = 65_536
/**
 * How much is taken before the rest of the event loop has its turn. With 200 bytes a message that is half a millisecond
 * at most: 200 ns a message while the code is cold, 30 ns later (Node 26.10, 2026-11).
 */
const TURN_BYTES = 524_288

/** Takes what the threads have published, gives each message its offset and writes it to the log. */
export class Sequencer {
  readonly log: Log
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #inboxDoorbell: Doorbell
  readonly #spaceDoorbell: Doorbell
  readonly #channels = new Map<string, Channel>()
  readonly #keys: PublishedKeys
  readonly #relay: Relay | null
  #connections: Connection[] = []
  /** Behind the one that had the last turn, also if the log was full then. */
  #first = 0
  #isScheduled = false
  /** Tells the sleep that counts from one that was cut short. */
  #sleeps = 0
  #isClosed = false
  /** Whether something waits for room in the log. */
  #isBlocked = false
  #messages = 0
  #heldUpBy: Connection | null = null
  #holdUps = 0
  readonly #turn = (): void => {
    this.#isScheduled = false
    if (!this.#isClosed) this.#takeTurn()
  }

  /**
   * @param keys what has been published with an idempotency key
   * @param relay takes what is published to a broker, and brings what the broker delivers
   */
  constructor(
    memory: SharedArrayBuffer,
    maxLargeBytes: number,
    keys: PublishedKeys,
    relay: Relay | null = null
  ) {
    this.#keys = keys
    this.log = new Log(memory, maxLargeBytes)
    this.#relay = relay
    relay?.attach(this.log, () => this.#schedule())
    this.#control = new Int32Array(memory, 0, LOG_DATA / 4)
    this.#inboxDoorbell = new Doorbell(this.#control, INBOX_DOORBELL)
    this.#spaceDoorbell = new Doorbell(this.#control, SPACE_DOORBELL)
    this.#schedule()
  }

  get connections(): readonly Connection[] {
    return this.#connections
  }

  /** How many channels have had a message. */
  get channels(): number {
    return this.#relay?.channels ?? this.#channels.size
  }

  /** How many messages the log has had. */
  get messages(): number {
    return this.#relay?.messages ?? this.#messages
  }

  /** The reader that the full log waits for, or null while it waits for none. */
  get heldUpBy(): Connection | null {
    return this.#heldUpBy
  }

  /** How often the log was full. */
  get holdUps(): number {
    return this.#holdUps
  }

  /** The offset of the channel's last message; 0 before the first one. */
  offsetOf(channel: string): number {
    return this.#relay?.offsetOf(channel) ?? this.#channels.get(channel)?.offset ?? 0
  }

  add(connection: Connection): void {
    this.#connections.push(connection)
  }

  /** The thread is dead: the log stops waiting for it, delivers what it published as a whole, and forgets it. */
  end(connection: Connection): void {
    connection.end()
    this.#schedule()
  }

  /** Takes what has been published and fits the log, then nothing any more. */
  close(): void {
    if (this.#isClosed) return
    this.#update()
    for (const connection of this.#connections) this.#take(connection, connection.inbox.ring.capacity)
    this.#isClosed = true
    Atomics.store(this.#control, CLOSED, 1)
    this.log.ring()
    for (const connection of this.#connections) {
      connection.answerDoorbell.ring()
      connection.port.close()
    }
    this.#connections = []
  }

  #takeTurn(): void {
    let taken = this.#work()
    if (taken === 0) {
      // What comes between this work and the sleep rings; what came just before it is found by looking again.
      const sleep = ++this.#sleeps
      let isBlocked: boolean
      let doorbell: Doorbell
      let seen: number
      do {
        isBlocked = this.#isBlocked
        doorbell = isBlocked ? this.#spaceDoorbell : this.#inboxDoorbell
        seen = doorbell.arm()
        taken = this.#work()
      } while (taken === 0 && isBlocked !== this.#isBlocked)
      if (taken === 0) return doorbell.sleep(seen, () => this.#wake(sleep))
    }
    this.#schedule()
  }

  /** @param sleep an older one than the last was cut short, and what cut it short has been seen to */
  #wake(sleep: number): void {
    if (sleep === this.#sleeps) this.#turn()
  }

  #schedule(): void {
    this.#sleeps++
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  /** @returns how many bytes were taken */
  #work(): number {
    this.#update()
    const connections = this.#connections
    let taken = this.#relay?.work() ?? 0
    this.#isBlocked = this.#relay?.isBlocked ?? false
    let before = -1
    while (taken < TURN_BYTES && taken !== before && !this.#isBlocked) {
      before = taken
      const first = this.#first
      for (let index = 0; index < connections.length && !this.#isBlocked; index++) {
        const turn = (first + index) % connections.length
        const bytes = this.#take(connections[turn]!, SHARE_BYTES)
        taken += bytes
        if (bytes > 0) this.#first = turn + 1
      }
    }
    this.#heldUpBy = this.#isBlocked ? this.log.slowest : null
    return taken
  }

  /** Lets readers and ended connections go and new readers in, who start between two messages: all is published. */
  #update(): void {
    this.log.detachEnded()
    for (const connection of this.#connections) {
      if (connection.wantsToRead) {
        connection.readsFrom = this.messages
        this.log.attach(connection)
      } else if (connection.hasEnded && connection.inbox.next() === -1) this.#forget(connection)
    }
  }

  #forget(connection: Connection): void {
    connection.port.close()
    this.#relay?.forget(connection)
    this.#connections = this.#connections.filter((other) => other !== connection)
  }

  #take(connection: Connection, share: number): number {
    if (this.#relay !== null) return this.#relay.take(connection, share)
    const { inbox } = connection
    const { writer } = this.log
    const { words } = inbox.ring
    let taken = 0
    for (let at = inbox.next(); at !== -1 && taken < share; at = inbox.next()) {
      const size = words[(at >> 2) + SIZE]!
      const flags = words[(at >> 2) + FLAGS]!
      if ((flags & FLAG_ONCE) !== 0 && this.#passOver(connection, at)) {
        inbox.advance(size)
        taken += size
        continue
      }
      const target = writer.claim(size)
      const isLarge = (flags & FLAG_LARGE) !== 0
      if (target === -1 || (isLarge && !this.#passLarge(connection, at))) {
        this.#isBlocked = true
        this.#holdUps++
        break
      }
      const run = this.#stamp(connection, at, Math.min(inbox.available, writer.room, share))
      copyRecords(inbox.ring, at, writer.ring, target, run)
      writer.commit(run)
      inbox.advance(run)
      taken += run
    }
    if (taken > 0) this.#publish(connection)
    return taken
  }

  #publish(connection: Connection): void {
    this.log.publish()
    connection.publishAnswers()
    connection.answerDoorbell.ring()
  }

  /** Writes the next offset into each record from `at` on, up to `limit` bytes or the next that is large or published once. */
  #stamp(connection: Connection, at: number, limit: number): number {
    const { ring } = connection.inbox
    const { words, floats } = ring
    let length = 0
    do {
      const word = (at + length) >> 2
      const size = words[word + SIZE]!
      const flags = words[word + FLAGS]!
      if (length > 0 && (size === WRAP || length + size > limit || (flags & (FLAG_LARGE | FLAG_ONCE)) !== 0))
        break
      const channel = this.#channelAt(connection, at + length)
      words[word + CHANNEL] = channel.number
      floats[(word >> 1) + OFFSET] = ++channel.offset
      if ((flags & FLAG_ONCE) !== 0) this.#keys.add(channel.number, metaAt(ring, at), channel.offset)
      this.#messages++
      length += size
    } while (length < limit)
    return length
  }

  /**
   * Answers a message whose idempotency key the channel had lately with minus the offset of that one. The key is looked up
   * where offsets are given, so of two threads that use it at the same time one publishes.
   */
  #passOver(connection: Connection, at: number): boolean {
    const { words, floats } = connection.inbox.ring
    const word = at >> 2
    const { number } = this.#channelAt(connection, at)
    const offset = this.#keys.offsetOf(number, metaAt(connection.inbox.ring, at))
    if (offset === 0) return false
    // Its data is not to stay in the port until the next large message.
    if ((words[word + FLAGS]! & FLAG_LARGE) !== 0)
      receiveLarge(connection.port, floats[(word >> 1) + SEQUENCE]!)
    floats[(word >> 1) + OFFSET] = -offset
    return true
  }

  #channelAt(connection: Connection, at: number): Channel {
    const { ring } = connection.inbox
    const word = at >> 2
    const slot = ring.words[word + CHANNEL]!
    if ((ring.words[word + FLAGS]! & FLAG_NEW_SLOT) !== 0)
      connection.channels[slot] = this.#channel(channelNameAt(ring, at))
    return connection.channels[slot]!
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { number: this.#channels.size, offset: 0 }
      this.#channels.set(name, channel)
    }
    return channel
  }

  /** @returns false while too much is under way to the readers */
  #passLarge({ inbox, port }: Connection, at: number): boolean {
    const { words, floats } = inbox.ring
    const word = at >> 2
    if (!this.log.hasRoomForLarge(words[word + DATA_LENGTH]!)) return false
    this.log.sendLarge(receiveLarge(port, floats[(word >> 1) + SEQUENCE]!), words[word + SIZE]!)
    return true
  }
}
