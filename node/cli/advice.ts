/** What to do, in the words of this program: its flags and commands, which the core and the library know nothing of. */
import { errorAdvice, type ErrorCode } from '../../bindings/generated/wire.js'
import type { Remedies } from '../../web/standard/report/facts.js'

const own: Readonly<Partial<Record<ErrorCode, string>>> = {
  'route.unknown_provider': "name a provider of the table: see 'aetherflow providers'",
  'route.no_provider': 'set the key of at least one provider, or use --simulate',
  'host.usage': "see 'aetherflow --help'",
  'host.plan_changed': 'resume with the plan of the run, or add --reuse to keep what still matches',
  'docs.none': 'hand over an index with --docs DIR, or take context.documents out of the step',
  'cache.store_failed': "check the cache's folder; 'aetherflow cache clear' empties it",
  'cache.model': "get the model with 'aetherflow model pull', or go without: the built-in embedder needs none",
  'cache.runtime': 'npm install onnxruntime-web (or onnxruntime-node), or do without a model',
  'cache.download_failed':
    'try again: what has arrived is kept; behind a proxy set HTTPS_PROXY, or give a folder with the files',
}

export const adviceOf = (code: ErrorCode): string => own[code] ?? errorAdvice[code]

/** Members of the configuration that have a flag. */
const flags: readonly (readonly [member: string, flag: string])[] = [
  ['budget.run.usd', '--budget'],
  ['budget.run.tokens', '--max-tokens'],
  ['retry.deadlineMs', '--deadline'],
]

/** Words of the library with the flag behind each setting that they name. */
export const withFlags = (words: string): string =>
  flags.reduce((text, [member, flag]) => text.replaceAll(member, `${member} (${flag})`), words)

/** What helps, as the report of this program names it. */
export const remedies: Remedies = {
  auth: 'aetherflow providers tells which keys are accepted',
  rate_limited: 'lower --concurrency for the provider, or allow each step more time with --deadline',
  bad_request: 'look at the message; explain --prompts shows what was asked',
  not_found: 'aetherflow providers lists the models that there are',
  deadline: 'raise --deadline, the time that each step may take, or split the step',
  budget_exceeded: 'raise --budget',
  budget: 'raise --budget',
  cancelled: 'the same command with --resume goes on',
  again: 'the same command with --reuse tries again what did not succeed, and keeps what is done',
}
