/** The entries of the package by `require`: each is there, and all share one of everything. */
import { expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { projectPath } from '../fixtures/paths.js'

const at = (entry: string): string => JSON.stringify(projectPath(`dist/cjs/node/${entry}.js`))

test('/ai-sdk, /serve and /redis answer, and their errors are those of the main entry', () => {
  const code = `
    const { AetherflowError } = require(${at('index')})
    const { createAetherflow, cacheMiddleware } = require(${at('ai-sdk')})
    const { serve } = require(${at('serve/serve')})
    const { redisLink } = require(${at('redis/index')})
    const told = async () => {
      const aetherflow = createAetherflow({ simulate: 'instant' })
      const prompt = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }]
      const { content } = await aetherflow('auto').doGenerate({ prompt })
      await aetherflow.close()
      const server = await serve({ port: 0, auth: false, simulate: 'instant' })
      const { status } = await fetch(server.url + '/health')
      await server.close()
      const refused = await serve({ host: '0.0.0.0', auth: false }).catch((error) => error)
      return [typeof cacheMiddleware, typeof redisLink, content[0].type, status, refused instanceof AetherflowError]
    }
    told().then((words) => console.log(JSON.stringify(words)))`
  const printed = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  expect(JSON.parse(printed)).toEqual(['function', 'function', 'text', 200, true])
})
