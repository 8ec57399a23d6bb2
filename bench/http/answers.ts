import type { Answer } from '../harness/answers.ts'

export const plaintextAnswer: Answer = { path: '/plaintext', mediaType: 'text/plain', body: 'Hello, World!' }

export const jsonAnswer: Answer = {
  path: '/json',
  mediaType: 'application/json',
  body: '{"message":"Hello, World!"}'
}

/** Several, so that pipelined answers in a wrong order are seen. The first one is measured. */
export const userAnswers: [Answer, ...Answer[]] = [userAnswer(1), userAnswer(2), userAnswer(3)]

function userAnswer(id: number): Answer {
  return {
    path: `/users/${id}`,
    mediaType: 'application/json',
    body: JSON.stringify({ id, name: `User ${id}` })
  }
}
