/** `aetherflow docs evaluate SET`: how well the index answers somebody's own questions. */
import { formatDuration, plural } from '../../../web/standard/format.js'
import type { DocsEvaluation, Mean } from '../../../web/standard/documents/evaluation.js'
import { evaluateSet, readEvaluationFiles } from '../../documents/evaluate.js'
import { indexFolder } from '../../documents/open.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'
import type { DocsFlags } from './docs.js'

export async function docsEvaluate(files: readonly string[], flags: DocsFlags, host: Host): Promise<ExitCode> {
  const set = await readEvaluationFiles(files)
  const dir = flags.dir ?? '.'
  const keep = flags.keep ?? indexFolder(dir, host.env)
  const result = await evaluateSet(set, { dir, keep, model: flags.model, signal: host.signal })
  if (flags.json) host.stdout.write(`${asciiControls(JSON.stringify(result))}\n`)
  else host.stdout.write(`${lines(result, flags.model, host.stdout.columns ?? 120).join('\n')}\n`)
  return exitCodes.ok
}

function lines(result: DocsEvaluation, model: string | undefined, columns: number): string[] {
  const row = (name: string, { value, low, high }: Mean): string[] => [
    name,
    value.toFixed(3),
    `${low.toFixed(3)}–${high.toFixed(3)}`,
  ]
  const rows = [
    row('recall of the first 3', result.recall),
    row('precision of the first 3', result.precision),
    row('reciprocal rank (first 3)', result.mrr),
    ...(['1', '3', '5', '10'] as const).map((k) => row(`a right one in the first ${k}`, result.hit[k])),
  ]
  const trusted = result.trust.filter(({ questions }) => questions > 0)
  return [
    `${plural(result.questions, 'question')}, by words${model === undefined || model === 'lexical' ? '' : ` and ${model}`}`,
    '',
    ...alignedTable(['', 'mean', '95 % interval'], rows, columns),
    '',
    ...alignedTable(
      ['confidence from', 'questions', 'first one right'],
      trusted.map(({ from, questions, right }) => [from.toFixed(2), String(questions), `${right} of ${questions}`]),
      columns,
    ),
    '',
    `A search takes ${formatDuration(result.ms.median)} (95 % within ${formatDuration(result.ms.p95)}).`,
  ]
}
