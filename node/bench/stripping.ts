/** `aetherflow bench stripping`: the same plan with words of courtesy and filling taken out of its prompts, and without that. */
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { pairsRemark, pairsTable, playPairs, sheetMetrics } from './arms-sheet.js'
import type { Sheet } from './sheet.js'

/** Requests as people write them. */
const requests = [
  'Could you please kindly write a function that parses an ISO 8601 date? Thank you very much in advance!',
  'Hello! I would really like you to basically refactor the retry helper so that it is, you know, easier to read.',
  'It would be great if you could please list, if at all possible, what is actually wrong with the CSV reader.',
  'Please make sure that you very carefully document the public functions of the queue. Many thanks!',
  'I was wondering if you could perhaps write the tests of the price calculation. Thanks a lot, I appreciate it.',
  'Would you mind simply summarising, in just a few words, what the scheduler essentially does? Cheers!',
]

const builtIn = JSON.stringify({
  task_id: 'stripping',
  description: 'Requests full of polite words',
  steps: requests.map((description, index) => ({
    ...{ id: `request-${index + 1}`, type: 'analysis', description, complexity: 0.3, estimated_tokens: 200 },
  })),
})

export async function benchStripping(setting: BenchSetting): Promise<Sheet> {
  const pairs = await playPairs(setting, builtIn, [
    { name: 'as written', run: (run) => ({ ...run, strip: false }) },
    { name: 'stripped', run: (run) => ({ ...run, strip: true }) },
  ])
  const { prompts, cost, time, done } = sheetMetrics
  const { table, figures } = pairsTable(
    setting.own?.name ?? `${requests.length} polite requests`,
    ['as written', 'stripped'],
    pairs,
    [prompts, cost, time, done],
  )
  return {
    name: 'stripping',
    title: 'A plan with stripped prompts and with prompts as they are written, the same seeds',
    simulated: setting.profile.name,
    tables: [table],
    remarks: [
      pairsRemark(setting.seeds.length),
      'Files, code and quoted text are never stripped: the gain is that of requests in prose. What answers lose by it no simulation tells: `aetherflow bench quality` with a key does.',
    ],
    figures,
  }
}
