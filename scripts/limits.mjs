// `npm run test:limits`: 100,000 seeded schedules of the limits on a Redis server against those of one process. `npm test` plays some hundreds.
import { longTests } from './lib/long-tests.mjs'

await longTests(['tests/redis/limits-differential'], { AETHERFLOW_LIMIT_SCHEDULES: '100000' })
