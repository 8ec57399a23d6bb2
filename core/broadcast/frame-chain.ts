/**
 * Frames in the order in which they leave. A fan-out gives the same frames to thousands of connections, so the chains
 * are shared: all that were given A and then B hold the same node for it, and the bytes are joined once for all of them.
 */
export class FrameChain {
  readonly frame: Buffer
  readonly #before: FrameChain | null
  readonly count: number
  /** Of all frames up to this one. */
  readonly bytes: number
  /** The chain that the last connection went on with from here. */
  #next: FrameChain | null
  #joined: Buffer | null

  constructor(frame: Buffer, before: FrameChain | null) {
    this.frame = frame
    this.#before = before
    this.count = before === null ? 1 : before.count + 1
    this.bytes = before === null ? frame.length : before.bytes + frame.length
    this.#next = null
    this.#joined = null
  }

  /** The chain with one more frame. */
  followedBy(frame: Buffer): FrameChain {
    const next = this.#next
    if (next !== null && next.frame === frame) return next
    return (this.#next = new FrameChain(frame, this))
  }

  /** All of it in one piece; a single frame is not copied. */
  join(): Buffer {
    if (this.count === 1) return this.frame
    return (this.#joined ??= Buffer.concat(this.frames(), this.bytes))
  }

  frames(): Buffer[] {
    const frames = Array.from<Buffer>({ length: this.count })
    frames[this.count - 1] = this.frame
    for (let each = this.#before; each !== null; each = each.#before) frames[each.count - 1] = each.frame
    return frames
  }
}
