/** From the states of the word pieces to one vector of a text. */

/**
 * Row-major [pieces × dimensions] f32 to one vector of unit length: the mean over the pieces (one text alone has no padding, so
 * the attention mask is all ones). Fails by numbers that are not finite; who calls checks them.
 */
export type Pool = (states: Float32Array, pieces: number, dimensions: number) => Float32Array

/** The same in JavaScript, summed in double precision in the order of the pieces. */
export const meanPool: Pool = (states, pieces, dimensions) => {
  const sums = new Float64Array(dimensions)
  for (let piece = 0, at = 0; piece < pieces; piece++) {
    for (let i = 0; i < dimensions; i++) sums[i]! += states[at++]!
  }
  let squares = 0
  for (const sum of sums) squares += sum * sum
  const length = Math.sqrt(squares)
  return Float32Array.from(sums, (sum) => sum / length)
}
