/** A fault server as a process of its own, so that it outlives what it plays against. Started by remote.ts. */
import { ruleOf, type RuleDescription } from './description.js'
import { FaultServer } from './fault-server.js'

/** What the parent asks. Every question is answered with its number. */
export type Question = { readonly number: number } & (
  { readonly ask: 'script'; readonly rules: readonly RuleDescription[] } | { readonly ask: 'ledger' }
)

const server = await FaultServer.start()
process.on('message', (question: Question) => {
  if (question.ask === 'script') server.script(question.rules.map(ruleOf))
  process.send?.({ number: question.number, entries: question.ask === 'ledger' ? server.ledger.entries : [] })
})
// Its parent is gone: nobody else would end it.
process.on('disconnect', () => process.exit(0))
process.send?.({ number: -1, origin: server.origin })
