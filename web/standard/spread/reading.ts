/** Members of a step, as the plan's author wrote them. */
import { AetherflowError } from '../../../bindings/errors.js'

const wrong = 'plan.wrong_type'

/** Reads members of one step. */
export class Reading {
  readonly #place: string
  constructor(place: string) {
    this.#place = place
  }

  fail(where: string, detail: string, code: 'plan.wrong_type' | 'plan.too_large' | 'plan.out_of_range' = wrong): never {
    throw new AetherflowError(code, `${this.#place}${where}`, detail)
  }

  /** An object without members that nothing reads. */
  object(value: unknown, where: string, members: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.fail(where, 'expected an object')
    const odd = Object.keys(value).find((name) => !members.includes(name))
    if (odd !== undefined)
      return this.fail(`${where}/${odd}`, `there is no such member; known are ${members.join(', ')}`)
    return value as Readonly<Record<string, unknown>>
  }

  whole(value: unknown, where: string, least: number, most: number): number {
    const is = typeof value === 'number' && Number.isSafeInteger(value)
    if (!is) return this.fail(where, 'expected a whole number')
    if (value < least || value > most)
      return this.fail(where, `${value} is not within ${least} to ${most}`, 'plan.out_of_range')
    return value
  }

  text(value: unknown, where: string): string {
    return typeof value === 'string' && value !== '' ? value : this.fail(where, 'expected a text')
  }
}
