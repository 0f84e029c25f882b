/** Packages that are not installed: what is missing, and what to do, in a coded error. */
import { expect, jest, test } from '@jest/globals'
import { loadBull } from '../../node/redis/call-wire.js'
import { connectRedis } from '../../node/redis/link.js'
import { RemoteCalls } from '../../node/redis/remote-calls.js'
import { startWorker } from '../../node/redis/worker.js'
import { Answering, answeringConfig, clientsOf } from './answering.js'

for (const name of ['ioredis', 'bullmq'])
  jest.unstable_mockModule(name, () => {
    throw new Error(`Cannot find package '${name}'`)
  })

const address = 'redis://127.0.0.1:1'
const said = (detail: string) => ({ code: 'host.usage', detail: expect.stringContaining(detail) as unknown })

test('an address without ioredis says what to install, and what does without it', async () => {
  await expect(connectRedis(address)).rejects.toMatchObject(said('npm install ioredis'))
  await expect(connectRedis(address)).rejects.toMatchObject(said('redisLink takes a client of node-redis'))
})

test('queues of calls say what they need, on either side', async () => {
  const provider = new Answering()
  const providers = clientsOf(answeringConfig(await provider.open()))
  await expect(loadBull()).rejects.toMatchObject(said('npm install bullmq ioredis'))
  await expect(RemoteCalls.open(address)).rejects.toMatchObject(said('npm install'))
  await expect(startWorker({ address, providers })).rejects.toMatchObject(said('npm install'))
  provider.close()
})
