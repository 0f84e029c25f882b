/** Colours for terminals; none where they are not wanted (NO_COLOR, FORCE_COLOR, TERM=dumb). */
import type { Host, Output } from './host.js'

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const
export type Colour = keyof typeof codes
export type Paint = Readonly<Record<Colour, (text: string) => string>>

/** Whether `output` gets colours. NO_COLOR wins, as its convention asks; FORCE_COLOR=0 is a no. */
export function wantsColour(output: Output, env: Host['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return output.isTTY === true && env['TERM'] !== 'dumb'
}

/** Functions that colour a text for `output`, or leave it alone. */
export function paint(output: Output, env: Host['env']): Paint {
  const wanted = wantsColour(output, env)
  const colour =
    ([on, off]: readonly [number, number]) =>
    (text: string): string =>
      wanted && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text
  const { bold, dim, red, green, yellow, cyan } = codes
  return {
    bold: colour(bold),
    dim: colour(dim),
    red: colour(red),
    green: colour(green),
    yellow: colour(yellow),
    cyan: colour(cyan),
  }
}
