/** A route that blocks its thread for longer than this, on average, is heavy. In milliseconds. */
export const HEAVY = 5

/**
 * Samples count up to this: a single one that was long because the operating system took the core away makes no route
 * heavy. In milliseconds.
 */
const HIGHEST_SAMPLE = 8 * HEAVY

/** The weight of a new sample in a route's average. */
const WEIGHT = 0.1

/** Samples that a route needs to be known, unless it is beyond doubt: the first run of code is a slow one. */
const SAMPLES = 3

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

interface Probe<Job> {
  readonly job: Job
  /** Which of the jobs that its thread was given it is. */
  readonly at: number
  /** The idle time of the thread when it was first seen to have begun with it. */
  idle: number | null
}

/** A thread, as far as something is to be scheduled on it. */
interface Lane<Job> {
  running: number
  /** Jobs that it was given, ever. */
  sent: number
  /** The job that has the thread to itself. */
  exclusive: Job | null
  /** The job that is to tell what its like cost. */
  probe: Probe<Job> | null
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
  /** Costs that a running job is about to tell: others like it wait for that. */
  readonly #probing = new Set<Cost>()
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
      probe: null,
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
    const thread = queue === this.#unknown ? this.#leastBusy(now) : null
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
    this.#probing.delete(job.cost)
    if (milliseconds !== null) this.#learn(job.cost, milliseconds)
    if (lane === undefined) return
    lane.running--
    lane.turnedAt = now
    if (lane.exclusive === job) lane.exclusive = null
    if (lane.probe?.job === job) lane.probe = null
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
    const { probe } = lane
    if (probe === null || begun < probe.at) return
    if (isBlocked(lane, now)) return this.#guess(probe.job.cost, HIGHEST_SAMPLE)
    // Before, it may have been idle because it had not yet woken up.
    probe.idle ??= idle
    if (idle - probe.idle <= IDLE) return
    lane.probe = null
    if (lane.exclusive === probe.job) lane.exclusive = null
    this.#guess(probe.job.cost, 0)
  }

  /** Starts what can be started. */
  pump(now: number): void {
    for (const job of this.#unknown) {
      const thread = this.#probing.has(job.cost) ? null : this.#forUnknown(now)
      if (thread === null) continue
      this.#unknown.delete(job)
      this.#run(thread, job, now, true)
    }
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
    if (mayBeAlone && this.#canReserve(lane)) lane.exclusive = job
    if (this.#lanes.size > 1 && lane.probe === null && this.#queueFor(job) === this.#unknown) {
      lane.probe = { job, at: lane.sent, idle: null }
      this.#probing.add(job.cost)
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
    return this.#isProbingLight() ? null : this.#leastBusy(now)
  }

  #isProbingLight(): boolean {
    for (const { probe, exclusive } of this.#lanes.values())
      if (probe !== null && probe.job !== exclusive) return true
    return false
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

  #queueFor({ cost }: Schedulable): Set<Job> {
    const { milliseconds, samples } = cost
    if (milliseconds === null) return this.#unknown
    if (milliseconds <= HEAVY) return this.#light
    return samples > 0 && samples < SAMPLES && milliseconds < HIGHEST_SAMPLE ? this.#unknown : this.#heavy
  }

  /** What is seen from outside, until the request tells itself. */
  #guess(cost: Cost, milliseconds: number): void {
    this.#probing.delete(cost)
    if (cost.milliseconds !== null && cost.milliseconds >= milliseconds) return
    cost.milliseconds = milliseconds
    this.#sortAgain(cost)
  }

  #learn(cost: Cost, milliseconds: number): void {
    const before = this.#queueFor({ cost })
    const sample = Math.min(milliseconds, HIGHEST_SAMPLE)
    if (cost.milliseconds === null || cost.samples === 0) cost.milliseconds = sample
    else if (cost.samples < SAMPLES) cost.milliseconds = Math.min(cost.milliseconds, sample)
    else cost.milliseconds += (sample - cost.milliseconds) * WEIGHT
    cost.samples++
    if (this.#queueFor({ cost }) !== before) this.#sortAgain(cost)
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
