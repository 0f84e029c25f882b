/** Options that several commands have: one wording each. */
import { Option } from 'commander'
import { concurrency, seed } from './arguments.js'

export const runOptions = {
  mode: () => new Option('--mode <mode>', 'fast, build (default), double-check, or one of the configuration'),
  /** `how`: behind "play the providers". */
  simulate: (how = '') =>
    new Option(
      '--simulate [profile]',
      `play the providers${how}: default, mission, instant, flaky, or --simulate=FILE.json`,
    ),
  config: () => new Option('--config <file>', 'configuration instead of the user’s own'),
  concurrency: () =>
    new Option('--concurrency <provider=n>', 'most calls at once at a provider; repeatable').argParser(concurrency),
  /** `of`: what it is the seed of. */
  seed: (of: string) => new Option('--seed <n>', `seed of ${of}`).argParser(seed),
}
