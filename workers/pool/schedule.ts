/** A route that blocks its thread for longer than this, on average, is heavy. In milliseconds. */
export const HEAVY = 5

/**
 * Samples count up to this: a single one that was long because the operating system took the core away makes no route
 * heavy. In milliseconds.
 */
const HIGHEST_SAMPLE = 4 * HEAVY

/** The weight of a new sample in a route's average. */
const WEIGHT = 0.2

/** Requests that a thread runs at one time; more than wait for I/O in one process at most times. */
const CONCURRENCY = 256

/** A thread whose loop has not turned for so long gets nothing new. In milliseconds. */
const BLOCKED = 10

/** How long a heavy request waits for the thread chosen for it to finish its light ones. In milliseconds. */
const RESERVATION = 10

/** How long a loop has to be idle so that a request it runs is known to wait for something. In milliseconds. */
const IDLE = 1

/** Requests that cost about the same. */
export interface Cost {
  /** How long one blocks its thread, in milliseconds; null as long as nobody knows. */
  milliseconds: number | null
  /** How many requests that is known from; 0: it is a guess. */
  samples: number
}

/** A request, as far as it is to be scheduled. */
export interface Schedulable {
  readonly cost: Cost
}

/** A thread, as far as something is to be scheduled on it. */
interface Lane<Job> {
  running: number
  /** Jobs that it was given, ever. */
  sent: number
  /** The job that has the thread to itself. */
  exclusive: Job | null
  /** Whether nobody knows what that one costs. */
  isProbing: boolean
  /** Which of the jobs it was given that one is. */
  exclusiveAt: number
  /** The idle time of the thread when it was first seen to have begun with that one. */
  idleAtBegin: number | null
  idle: number
  turnedAt: number
}

/**
 * Decides which thread runs which request, and which waits. Light requests never wait for heavy ones: those have at most
 * all threads but one, each to itself. What a request costs is learned per route; one of a route that nobody knows yet
 * counts as heavy until its thread is seen to be idle beside it.
 */
export class Schedule<Thread, Job extends Schedulable> {
  readonly #limit: number
  readonly #start: (thread: Thread, job: Job) => void
  readonly #lanes = new Map<Thread, Lane<Job>>()
  readonly #light = new Set<Job>()
  readonly #unknown = new Set<Job>()
  readonly #heavy = new Set<Job>()
  /** The thread that gets nothing more until it can run a heavy request. */
  #reserved: { readonly lane: Lane<Job>; readonly since: number } | null = null
  /** The job of an unknown cost that runs among light ones. */
  #probe: Job | null = null

  /**
   * @param limit how many jobs may wait
   * @param start runs a job; `now`, here and below, is a time in milliseconds
   */
  constructor(limit: number, start: (thread: Thread, job: Job) => void) {
    this.#limit = limit
    this.#start = start
  }

  get queued(): number {
    return this.#light.size + this.#unknown.size + this.#heavy.size
  }

  get running(): number {
    let running = 0
    for (const lane of this.#lanes.values()) running += lane.running
    return running
  }

  get threads(): number {
    return this.#lanes.size
  }

  add(thread: Thread, now: number): void {
    this.#lanes.set(thread, {
      running: 0,
      sent: 0,
      exclusive: null,
      isProbing: false,
      exclusiveAt: 0,
      idleAtBegin: null,
      idle: 0,
      turnedAt: now
    })
    this.pump(now)
  }

  /** Forgets a thread and what it runs. */
  remove(thread: Thread): void {
    const lane = this.#lanes.get(thread)
    if (lane !== undefined && this.#reserved?.lane === lane) this.#reserved = null
    this.#lanes.delete(thread)
  }

  /** Starts a job or lets it wait; false: too many wait. */
  submit(job: Job, now: number): boolean {
    const queue = this.#queueFor(job)
    queue.add(job)
    this.pump(now)
    if (!queue.has(job) || this.queued <= this.#limit) return true
    queue.delete(job)
    // Rather than refuse a request because nobody knows its cost, let it run among light ones.
    const thread = job.cost.milliseconds === null ? this.#leastBusy(now) : null
    if (thread === null) return false
    this.#run(thread, job, now, false)
    return true
  }

  /** Takes a job back that waits; false: it does not. */
  cancel(job: Job): boolean {
    return this.#light.delete(job) || this.#unknown.delete(job) || this.#heavy.delete(job)
  }

  /** Takes back all that waits. */
  drain(): Job[] {
    const queues = [this.#unknown, this.#light, this.#heavy]
    const jobs = queues.flatMap((queue) => [...queue])
    for (const queue of queues) queue.clear()
    return jobs
  }

  /** A job is through. @param milliseconds for how long it blocked its thread, if that is known */
  finish(thread: Thread, job: Job, milliseconds: number | null, now: number): void {
    const lane = this.#lanes.get(thread)
    if (milliseconds !== null) this.#learn(job.cost, milliseconds)
    if (this.#probe === job) this.#probe = null
    if (lane === undefined) return
    lane.running--
    lane.turnedAt = now
    if (lane.exclusive === job) lane.exclusive = null
    this.pump(now)
  }

  /**
   * Takes in what is seen of a thread from outside; {@link pump} comes after all threads.
   *
   * @param idle how long its loop has been idle, ever, in milliseconds
   * @param begun how many jobs it has begun
   */
  observe(thread: Thread, idle: number, begun: number, now: number): void {
    const lane = this.#lanes.get(thread)
    if (lane === undefined) return
    if (idle > lane.idle) lane.turnedAt = now
    lane.idle = idle
    if (lane.exclusive === null || !lane.isProbing || begun < lane.exclusiveAt) return
    if (lane.idleAtBegin === null) {
      // It may have been idle because it had not yet woken up.
      lane.idleAtBegin = idle
    } else if (idle - lane.idleAtBegin > IDLE) {
      const { cost } = lane.exclusive
      lane.exclusive = null
      if (cost.milliseconds !== null) return
      cost.milliseconds = 0
      this.#sortAgain(cost)
    }
  }

  /** Starts what can be started. */
  pump(now: number): void {
    this.#pumpQueue(this.#unknown, () => this.#forUnknown(now), now)
    this.#pumpQueue(this.#heavy, () => this.#forHeavy(now), now)
    if (this.#heavy.size === 0) this.#reserved = null
    this.#pumpQueue(this.#light, () => this.#leastBusy(now), now)
  }

  #pumpQueue(queue: Set<Job>, choose: () => Thread | null, now: number): void {
    for (const job of queue) {
      const thread = choose()
      if (thread === null) return
      queue.delete(job)
      this.#run(thread, job, now, queue !== this.#light)
    }
  }

  #run(thread: Thread, job: Job, now: number, mayBeAlone: boolean): void {
    const lane = this.#lanes.get(thread)!
    if (lane.running === 0) lane.turnedAt = now
    lane.running++
    lane.sent++
    if (mayBeAlone && this.#canReserve(lane)) {
      lane.exclusive = job
      lane.isProbing = job.cost.milliseconds === null
      lane.exclusiveAt = lane.sent
      lane.idleAtBegin = null
    } else if (job.cost.milliseconds === null) {
      this.#probe = job
    }
    if (this.#reserved?.lane === lane) this.#reserved = null
    this.#start(thread, job)
  }

  /** Whether one more thread may be kept from light requests. */
  #canReserve(lane: Lane<Job>): boolean {
    let taken = 0
    for (const other of this.#lanes.values()) {
      if (other !== lane && (other.exclusive !== null || other === this.#reserved?.lane)) taken++
    }
    return taken < this.#lanes.size - 1
  }

  #leastBusy(now: number): Thread | null {
    let best: Thread | null = null
    let fewest = CONCURRENCY
    for (const [thread, lane] of this.#lanes) {
      if (lane.running >= fewest || lane.exclusive !== null || lane === this.#reserved?.lane) continue
      if (isBlocked(lane, now)) continue
      best = thread
      fewest = lane.running
    }
    return best
  }

  #forUnknown(now: number): Thread | null {
    if (this.#lanes.size < 2) return this.#leastBusy(now)
    const idle = this.#idlest(now)
    if (idle !== null && this.#lanes.get(idle)!.running === 0 && this.#canReserve(this.#lanes.get(idle)!))
      return idle
    // One at a time is let in among light ones, so that it does not wait for heavy ones if it is light itself.
    return this.#probe === null ? this.#leastBusy(now) : null
  }

  #forHeavy(now: number): Thread | null {
    if (this.#lanes.size < 2) return this.#leastBusy(now)
    if (this.#reserved === null) {
      const idlest = this.#idlest(now)
      if (idlest === null) return null
      const lane = this.#lanes.get(idlest)!
      if (!this.#canReserve(lane)) return null
      this.#reserved = { lane, since: now }
    }
    const { lane, since } = this.#reserved
    if (lane.running > 0 && now - since < RESERVATION) return null
    for (const [thread, other] of this.#lanes) if (other === lane) return thread
    return null
  }

  /** The last of the threads with the least to do, while light requests take the first. */
  #idlest(now: number): Thread | null {
    let best: Thread | null = null
    let fewest = CONCURRENCY
    for (const [thread, lane] of this.#lanes) {
      if (lane.running > fewest || lane.running >= CONCURRENCY) continue
      if (lane.exclusive !== null || lane === this.#reserved?.lane || isBlocked(lane, now)) continue
      best = thread
      fewest = lane.running
    }
    return best
  }

  #queueFor({ cost: { milliseconds } }: Job): Set<Job> {
    if (milliseconds === null) return this.#unknown
    return milliseconds > HEAVY ? this.#heavy : this.#light
  }

  #learn(cost: Cost, milliseconds: number): void {
    const before = cost.milliseconds
    const sample = Math.min(milliseconds, HIGHEST_SAMPLE)
    cost.milliseconds = before === null || cost.samples === 0 ? sample : before + (sample - before) * WEIGHT
    cost.samples++
    if (before === null || before > HEAVY !== cost.milliseconds > HEAVY) this.#sortAgain(cost)
  }

  /** What waits has to wait with its like. */
  #sortAgain(cost: Cost): void {
    for (const queue of [this.#light, this.#unknown, this.#heavy]) {
      for (const job of queue) {
        const better = this.#queueFor(job)
        if (job.cost !== cost || better === queue) continue
        queue.delete(job)
        better.add(job)
      }
    }
  }
}

function isBlocked(lane: Lane<unknown>, now: number): boolean {
  return lane.running > 0 && now - lane.turnedAt > BLOCKED
}
