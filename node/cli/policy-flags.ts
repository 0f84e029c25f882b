/** Flags that say what a run may spend and how hard it tries. They override the configuration for this run. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { draftUses, type DraftUse } from '../../bindings/generated/wire.js'
import type { BudgetConfig, CeilingConfig, PolicyConfig } from '../../web/standard/config.js'

export interface PolicyFlags {
  readonly budget?: number
  readonly stepBudget?: number
  readonly maxTokens?: number
  readonly attempts?: number
  readonly deadline?: number
  readonly hedge?: number
  readonly interrupt?: 'restart' | 'continue' | 'fail'
  readonly draft?: DraftUse
}

/** A number of at least 0, with a part after the point. */
export function amount(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('expected an amount such as 0.50')
  return Number(text)
}

function whole(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected a whole number from 1')
  return value
}

/** `90`, `90s`, `15m`, `2h` in ms. */
function duration(text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const ms = Math.round(Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'])
  if (number === '' || ms < 1) throw new InvalidArgumentError('expected a time such as 90s, 15m or 2h')
  return ms
}

function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('expected a share such as 5% or 0.05')
  return value
}

export function addPolicyOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--budget <usd>', 'most money of the whole run; the rest is reserved before each call').argParser(
        amount,
      ),
    )
    .addOption(new Option('--step-budget <usd>', 'most money of one step, all its attempts').argParser(amount))
    .addOption(new Option('--max-tokens <n>', 'most tokens of the whole run, prompts and answers').argParser(whole))
    .addOption(
      new Option('--attempts <n>', 'most calls for one step’s answer, over all models; default 5').argParser(whole),
    )
    .addOption(
      new Option('--deadline <time>', 'most time of one step, waits and retries included: 90s, 15m').argParser(
        duration,
      ),
    )
    .addOption(
      new Option(
        '--hedge <share>',
        'ask a second provider when a first token is late, for at most this share of calls: 5%',
      ).argParser(share),
    )
    .addOption(
      new Option('--interrupt <policy>', 'when a stream breaks after its text was shown (default restart)').choices([
        'restart',
        'continue',
        'fail',
      ]),
    )
    .addOption(
      new Option(
        '--draft <use>',
        'let a fast model draft and a strong one verify: off, auto where it saves time, always; default: as the plan says',
      ).choices(draftUses),
    )
}

/** The flags as the part of a configuration that they override. */
export function policyOf(flags: PolicyFlags): PolicyConfig {
  const { budget, stepBudget, maxTokens, attempts, deadline, hedge, interrupt } = flags
  const run: CeilingConfig = {
    ...(budget === undefined ? {} : { usd: budget }),
    ...(maxTokens === undefined ? {} : { tokens: maxTokens }),
  }
  const limits: BudgetConfig = {
    ...(Object.keys(run).length === 0 ? {} : { run }),
    ...(stepBudget === undefined ? {} : { step: { usd: stepBudget } }),
  }
  return {
    ...(Object.keys(limits).length === 0 ? {} : { budget: limits }),
    ...(attempts === undefined && deadline === undefined
      ? {}
      : {
          retry: {
            ...(attempts === undefined ? {} : { attempts }),
            ...(deadline === undefined ? {} : { deadlineMs: deadline }),
          },
        }),
    ...(hedge === undefined ? {} : { hedge: { share: hedge } }),
    ...(interrupt === undefined ? {} : { interrupt }),
  }
}
