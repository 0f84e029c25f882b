/** Answers of tools: text alone, at most 8,000 characters, since some clients cut more and others show structured parts alone. */
import { AetherflowError } from '../../bindings/errors.js'
import { errorAdvice, type ErrorCode } from '../../bindings/generated/wire.js'
import { oneLine } from '../../web/standard/format.js'
import type { CallToolResult } from './sdk.js'

export const mostCharacters = 8000

/** The beginning of a text that has at most `most` characters, with no character halved. */
export function clipped(text: string, most: number): string {
  if (text.length <= most) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most
  return text.slice(0, end)
}

/** One line of something that somebody else wrote. */
export const short = (text: string, most = 300): string => {
  const line = oneLine(text)
  return line.length <= most ? line : `${clipped(line, most - 1)}…`
}

/** Lines as long as they fit; `more(n)` says that n are left out. */
export function fitting(lines: readonly string[], more: (left: number) => string, most = mostCharacters): string {
  let length = 0
  const reserve = 120
  for (const [index, line] of lines.entries()) {
    length += line.length + 1
    if (length > most - (index === lines.length - 1 ? 0 : reserve))
      return [...lines.slice(0, index), more(lines.length - index)].join('\n')
  }
  return lines.join('\n')
}

export const answer = (text: string): CallToolResult => ({
  content: [{ type: 'text', text: text.length <= mostCharacters ? text : `${clipped(text, mostCharacters - 1)}…` }],
})

export const refusal = (text: string): CallToolResult => ({ ...answer(text), isError: true })

interface Told {
  readonly code: string
  readonly where: string
  readonly detail: string
}

/** `plan.cycle at /steps/3/dependencies/0: a → b → a`, and below the last of equal advice what to do. */
export function faultLines(faults: readonly Told[]): string[] {
  return faults.flatMap(({ code, where, detail }, index) => {
    const place = where === '' ? '' : ` at ${short(where, 120)}`
    const words = detail === '' ? '' : `: ${short(detail)}`
    const told = errorAdvice[code as ErrorCode]
    const next = faults[index + 1]
    const advice = next !== undefined && errorAdvice[next.code as ErrorCode] === told ? [] : [`  ${told}`]
    return [`${code}${place}${words}`, ...(told === undefined ? [] : advice)]
  })
}

/** Everything that an error says, as lines. Nothing of the machine: no stack, no place that the error does not name itself. */
export function errorLines(error: unknown): string[] {
  if (error instanceof AetherflowError) {
    // Its advice is for who types commands; the detail says what a client can do.
    if (error.code === 'host.usage') return [`${error.where}: ${short(error.detail)}`]
    return faultLines([error, ...error.others])
  }
  return ['internal: please report this with the plan', ...(error instanceof Error ? [short(error.message)] : [])]
}
