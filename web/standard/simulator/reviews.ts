/** Simulated reviews of drafts: errors are planted and found, never judged. */

export interface Reviewer {
  readonly recall: number
  readonly patchShare: number
  readonly falseRejectShare: number
}

const perfect: Reviewer = { recall: 1, patchShare: 0, falseRejectShare: 0 }

/** A line that reviewers recognize. */
const mark = '(simulated error: this line is wrong)'

/** The text with one line more, in its middle. */
export function planted(text: string): string {
  const lines = text.split('\n')
  lines.splice(Math.floor(lines.length / 2), 0, mark)
  return lines.join('\n')
}

/** Number of the planted line among those that begin with `prefix`; undefined if there is none. */
function plantedLine(user: string, prefix: string): number | undefined {
  const found = new RegExp(`^${prefix}(\\d{1,9})\\| \\(simulated error: `, 'm').exec(user)?.[1]
  return found === undefined ? undefined : Number(found)
}

export function verdictText(random: () => number, user: string, reviewer = perfect): string {
  const line = plantedLine(user, '')
  const [sees, patches, refuses] = [random(), random(), random()]
  if (line !== undefined && sees < reviewer.recall) {
    if (patches < reviewer.patchShare)
      return JSON.stringify({
        verdict: 'patch',
        edits: [{ from: line, to: line, text: '(simulated) the line is right now' }],
      })
    return JSON.stringify({ verdict: 'reject', good_lines: line - 1 })
  }
  if (refuses < reviewer.falseRejectShare) return '{"verdict":"reject","good_lines":0}'
  return '{"verdict":"accept"}'
}

export function comparisonText(random: () => number, user: string, reviewer = perfect): string {
  const sees = random() < reviewer.recall
  const [a, b] = [plantedLine(user, 'A') !== undefined, plantedLine(user, 'B') !== undefined]
  if (!sees || a === b) return '{"better":"same"}'
  return a ? '{"better":"B"}' : '{"better":"A"}'
}
