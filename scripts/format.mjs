// `npm run format`: writes the formatting that the checks demand.
import { format } from './check.mjs'
import { main } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  const words = await format(await setup('test'))
  if (words !== undefined) console.log(words)
})
