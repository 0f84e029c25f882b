/** The outputs of a step's parts as the step's own: in order, within a budget of tokens. */
import { jsonOf } from './conditions.js'

export interface PartOutput {
  readonly id: string
  /** What it was carried out for, for people. */
  readonly item: string
  /** Undefined: it gave none. */
  readonly text: string | undefined
}

export interface Joined {
  readonly text: string
  /** Parts of which not all is there. */
  readonly cut: number
}

/** Characters of an item in the line above its output. */
const mostItem = 120

/**
 * As text each part stands under its id and item; where all do not fit, longer ones are cut to an equal share of what shorter ones
 * leave. As JSON a list, `null` for parts without an output; where all do not fit the last are left out. `estimate`: tokens of a text.
 */
export function joinParts(
  parts: readonly PartOutput[],
  {
    json,
    tokens,
    estimate,
  }: { readonly json: boolean; readonly tokens: number; readonly estimate: (text: string) => number },
): Joined {
  return json ? joinJson(parts, tokens, estimate) : joinText(parts, tokens, estimate)
}

function joinJson(parts: readonly PartOutput[], tokens: number, estimate: (text: string) => number): Joined {
  const values = parts.map(({ text }) => (text === undefined ? 'null' : (JSON.stringify(jsonOf(text)) ?? 'null')))
  let left = tokens
  const fits = values.findIndex((value) => (left -= estimate(value) + 1) < 0)
  const kept = fits < 0 ? values : values.slice(0, fits)
  return { text: `[${kept.join(',\n')}]`, cut: values.length - kept.length }
}

function joinText(parts: readonly PartOutput[], tokens: number, estimate: (text: string) => number): Joined {
  const blocks = parts.map(({ id, item, text }) => {
    const line = item.replace(/\s+/g, ' ').trim()
    const about = line === '' ? '' : `: ${line.length > mostItem ? `${line.slice(0, mostItem - 1)}…` : line}`
    return { head: `[${id}${about}]\n`, text: text === undefined ? '(no output)' : text.trimEnd() }
  })
  const sizes = blocks.map(({ head, text }) => estimate(`${head}${text}\n`))
  const share = shareOf(sizes, tokens)
  let cut = 0
  const texts = blocks.map(({ head, text }, at) => {
    const size = sizes[at] ?? 0
    if (size <= share) return `${head}${text}\n`
    cut += 1
    const room = Math.max(0, Math.floor(text.length * (share / size)) - 2)
    return `${head}${text.slice(0, room).trimEnd()} …\n`
  })
  return { text: texts.join('\n'), cut }
}

/** The largest size at which all, cut to it, fit; Infinity: all do as they are. */
function shareOf(sizes: readonly number[], tokens: number): number {
  let left = tokens
  const ascending = [...sizes].sort((a, b) => a - b)
  for (const [at, size] of ascending.entries()) {
    const share = left / (ascending.length - at)
    if (size > share) return share
    left -= size
  }
  return Infinity
}
