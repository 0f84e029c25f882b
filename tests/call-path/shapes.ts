/** Short forms for the cases: providers, answers, refusals. */
import type { CallPathCase, CaseReply } from './player.js'

const usage = { prompt_tokens: 50, completion_tokens: 10, total_tokens: 60 }

export const delta = (more: object, finish?: string | null, rest: object = {}): object => ({
  choices: [{ index: 0, delta: more, ...(finish !== undefined && { finish_reason: finish }) }],
  ...rest,
})
export const content = (text: string): object => delta({ content: text })
/** A streamed answer. */
export const says = (text: string, counts: object = usage, finish = 'stop'): CaseReply => ({
  events: [delta({ role: 'assistant', content: text }, null), delta({}, finish, { usage: counts }), '[DONE]'],
})
export const frames = (...parts: readonly string[]): CaseReply => ({ frames: parts })
export const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
export const refuses = (status: number, error: unknown, more: Partial<CaseReply> = {}): CaseReply => ({
  status,
  json: { error },
  ...more,
})
export const google = (...events: readonly object[]): CaseReply => ({ events })
export const candidate = (text: string | undefined, finish?: string): object => ({
  ...(text !== undefined && { content: { parts: [{ text }], role: 'model' } }),
  ...(finish !== undefined && { finishReason: finish }),
  index: 0,
})

/** What a case must come to. Absent members are not looked at. */
export interface Right {
  readonly requests?: Readonly<Record<string, number>>
  readonly output?: string
  readonly outputs?: Readonly<Record<string, string>>
  /** Of the run. */
  readonly outcome?: string
  /** Of the only step that failed. */
  readonly failure?: string
  /** What its message holds. */
  readonly words?: string
  readonly costMicroUsd?: number
  /** Most answer tokens asked for, one request after another: each is larger than the one before. */
  readonly widens?: true
  /** The answer's tokens were estimated. */
  readonly estimated?: true
  /** Tokens of the answer, counted or estimated, at least. */
  readonly outputTokens?: number
}

export interface OwnCase extends CallPathCase {
  readonly name: string
  readonly right: Right
}

export const generic = (id: string, more: object = {}): object => ({
  dialect: 'generic',
  baseUrl: `BASE/${id}/v1`,
  key: `k-${id}`,
  default: `m-${id}`,
  models: { [`m-${id}`]: { in: 1, cached: 0.1, out: 2, maxOut: 32000, firstTokenMs: 300, tokensPerSecond: 100 } },
  ...more,
})

export interface Setting {
  /** The provider before beta: alpha, or a built-in one. */
  readonly first?: string
  /** Members of the provider. */
  readonly provider?: object
  /** Without beta. */
  readonly alone?: true
  /** Members of the configuration. */
  readonly config?: object
  readonly output?: unknown
  readonly plan?: object
  readonly host?: string
  readonly base?: string
}

/** A case with one provider, and beta that always answers "from beta" behind it. */
export function situation(
  name: string,
  report: string,
  replies: readonly CaseReply[],
  right: Right,
  setting: Setting = {},
): OwnCase {
  const { first = 'alpha', provider = {}, alone, config = {}, output, plan, host, base } = setting
  const own = first === 'alpha' ? generic('alpha', provider) : { baseUrl: `BASE/${first}/v1`, key: 'k', ...provider }
  const providers = { [first]: own, ...(alone ? {} : { beta: generic('beta') }) }
  const rules = [{ name: 'all', use: Object.keys(providers), why: 'test' }]
  const steps = [
    {
      id: 'a',
      type: 'analysis',
      description: 'Say hello to the reader. Answer in json where asked.',
      complexity: 0.3,
      estimated_tokens: 100,
      dependencies: [],
      ...(output !== undefined && { output }),
    },
  ]
  return {
    name,
    report,
    expected: JSON.stringify(right),
    config: { providers, modes: { build: { rules } }, retry: { baseMs: 5, capMs: 20 }, ...config },
    plan: plan ?? { task_id: 't', description: 'A test', steps },
    replies: { [first]: replies, beta: [says(output === undefined ? 'from beta' : '{"a":1}')] },
    right,
    ...(host !== undefined && { host }),
    ...(base !== undefined && { base }),
  }
}

/** A step of a plan with several. */
export const step = (id: string, dependencies: readonly string[] = [], more: object = {}): object => ({
  id,
  type: 'analysis',
  description: `Say hello, ${id}. Answer in json where asked.`,
  complexity: 0.3,
  estimated_tokens: 100,
  dependencies,
  ...more,
})
export const planOf = (...steps: readonly object[]): object => ({ task_id: 't', description: 'A test', steps })
