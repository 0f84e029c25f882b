// `npm run test:limits`: seeded schedules of what a Redis server decides against what one process does: 100,000 of the limits, 10,000 of the
// budgets of keys and tenants. `npm test` plays some hundreds.
import { longTests } from './lib/long-tests.mjs'

await longTests(['tests/redis/limits-differential', 'tests/redis/book'], {
  AETHERFLOW_LIMIT_SCHEDULES: '100000',
  AETHERFLOW_BOOK_SCHEDULES: '10000',
})
