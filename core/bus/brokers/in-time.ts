/**
 * Waits for an answer no longer than so.
 *
 * @param timeout in milliseconds
 * @param error says why it fails then
 */
export async function inTime<Answer>(
  answer: Promise<Answer>,
  timeout: number,
  error: () => Error
): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(error()), timeout)
  // Whichever of the two comes late is of no interest.
  answer.catch(() => {})
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
