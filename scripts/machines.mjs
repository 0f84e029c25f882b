// `npm run test:machines`: owners, workers and the Redis server killed at sixty seeded moments, alone and two at
// once. `npm test` plays six of them.
import { longTests } from './lib/long-tests.mjs'

await longTests(['tests/redis/kills'], { AETHERFLOW_KILL_SEEDS: '60' })
