// `npm run test:load`: the server under load, longer than `npm test` has time for. 1,000 requests of three tenants, 1,000 streams that
// wait, 10,000 random bodies, waits that are given up. Memory over 100,000 requests: `npm run bench -- serve --soak`.
import { longTests } from './lib/long-tests.mjs'

await longTests(['tests/serve/load', 'tests/serve/slow', 'tests/serve/hostile'], { AETHERFLOW_LOAD: '1000' })
