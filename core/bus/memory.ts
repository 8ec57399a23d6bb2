/**
 * What lies where in the shared memory. Every word that one side writes and the other polls has a line of its own: two
 * threads that write into one cache line slow each other down.
 */
const LINE_WORDS = 32
const LINE_BYTES = LINE_WORDS * 4

/** Words at the front of the log's memory. */
export const LOG_HEAD = 0
/** Rung when the log has something new: readers sleep on it. */
export const LOG_DOORBELL: number = LINE_WORDS
/** Rung when an inbox has something new: the sequencer sleeps on it. */
export const INBOX_DOORBELL: number = 2 * LINE_WORDS
/** Rung when a reader has moved on: the sequencer sleeps on it while the log is full. */
export const SPACE_DOORBELL: number = 3 * LINE_WORDS
/** 1 once the bus is closed. */
export const CLOSED: number = 4 * LINE_WORDS
export const LOG_DATA: number = 5 * LINE_BYTES

/** Words at the front of a connection's memory: its inbox, and its place in the log. */
export const INBOX_HEAD = 0
/** How far the sequencer has taken the inbox: everything before it has its offset, written into the record. */
export const INBOX_TAIL: number = LINE_WORDS
/** Rung when the tail has moved: the publisher sleeps on it while it waits for answers or for room. */
export const ANSWER_DOORBELL: number = 2 * LINE_WORDS
/** One of the reader states. */
export const READER_STATE: number = 3 * LINE_WORDS
/** The position of the first record in the log that the reader has not done with. */
export const READER_CURSOR: number = 3 * LINE_WORDS + 1
export const INBOX_DATA: number = 4 * LINE_BYTES

/** The thread publishes only. The log doesn't wait for it. */
export const READER_NONE = 0
/** The thread asks the sequencer to attach it. */
export const READER_WANTED = 1
export const READER_ATTACHED = 2
/** The thread has ended or stopped reading, for good. */
export const READER_DETACHED = 3

/**
 * A record may take this share of its ring, so that the room lost where the ring starts anew stays small. A larger
 * message goes around the ring.
 */
export const RECORD_SHARE = 8
