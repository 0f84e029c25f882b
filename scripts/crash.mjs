// `npm run test:crash`: the whole crash matrix. A run is killed at each of its flushes, again at each while it recovers, its journal is
// damaged, its disk fills up; likewise the folder of a cache. Minutes; `npm test` runs a few of these.
import { longTests } from './lib/long-tests.mjs'

await longTests(['tests/crash', 'tests/node/file-store-'], { AETHERFLOW_CRASH: 'whole' })
