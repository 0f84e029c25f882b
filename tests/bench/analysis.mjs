// What a structured analysis takes that is kept already, p50 and p95, and how many calls a crowd of equal ones makes:
//   node tests/bench/analysis.mjs [--quick]
// Conversations of 10, 100 and 1,000 turns of some 60 words, answers in memory, 100 of them kept. The time is what a caller waits:
// key, look-up, check of the answer by its schema. The first answer comes from a performer in this process that takes no time.
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const rounds = process.argv.includes('--quick') ? 200 : 2000
const { openAnalyzer } = await import(at('dist/node/index.js'))

const schema = {
  type: 'object',
  properties: { topics: { type: 'array', items: { type: 'string' } }, mood: { enum: ['good', 'bad'] } },
  required: ['topics', 'mood'],
}
let calls = 0
const performer = {
  async perform() {
    calls += 1
    const usage = { input: 1000, cached: 0, output: 20, reasoning: 0 }
    return { text: '{"topics":["build"],"mood":"good"}', usage, finish: 'stop' }
  },
}
const sentence =
  'The build was red this morning, and nobody knew why until somebody looked at the clock of the machine. '
const conversation = (turns) =>
  Array.from({ length: turns }, (_, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content: `${turn}: ${sentence.repeat(3)}`,
  }))

printMachine()
console.log('turns   cached p50 ms   p95 ms   first ms')
for (const turns of [10, 100, 1000]) {
  const analyzer = await openAnalyzer({ performer, config: {} })
  const history = conversation(turns)
  for (let other = 0; other < 99; other += 1)
    await analyzer.analyze({ session: `${other}`, history: history.slice(0, 2), schema })
  const first = await analyzer.analyze({ session: 'bench', history, schema })
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    const { from, ms } = await analyzer.analyze({ session: 'bench', history, schema })
    if (from !== 'cache') throw new Error(`round ${round} was answered from ${from}`)
    times.push(ms)
  }
  times.sort((one, other) => one - other)
  const share = (part) => times[Math.floor(times.length * part)].toFixed(3)
  console.log(
    `${String(turns).padStart(5)}   ${share(0.5).padStart(13)}   ${share(0.95).padStart(6)}   ${first.ms.toFixed(1)}`,
  )
  await analyzer.close()
}

calls = 0
const analyzer = await openAnalyzer({ performer, config: {} })
const crowd = Array.from({ length: 1000 }, () =>
  analyzer.analyze({ session: 'crowd', history: conversation(10), schema }),
)
await Promise.all(crowd)
console.log(`1,000 equal analyses at once: ${calls} call`)
await analyzer.close()
