// Other gateways in front of the bench's provider, each in a process of its own, as their documents start them:
//   python3 -m venv DIR/litellm && DIR/litellm/bin/pip install 'litellm[proxy]'
//   npm install --prefix DIR/portkey --ignore-scripts @portkey-ai/gateway
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { request } from 'undici'

/** A port that was free a moment ago. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Those of `folder` that are there and come up, as contestants with the process that is measured; says which are not. */
export async function startGateways(folder, scratch, provider, model) {
  const started = []
  for (const gateway of [litellm, portkey]) {
    const found = await gateway(folder, scratch, provider, model)
    if (found === undefined) console.log(`SKIPPED: no ${gateway.name} in ${folder}`)
    else if (await comesUp(found)) started.push(found)
    else {
      console.log(`SKIPPED: ${found.name} did not come up`)
      found.child.kill('SIGKILL')
    }
  }
  return started
}

async function litellm(folder, scratch, provider, model) {
  const program = join(folder, 'litellm/bin/litellm')
  if (!existsSync(program)) return undefined
  const port = await freePort()
  const config = join(scratch, 'litellm.yaml')
  const lines = [
    'model_list:',
    `  - model_name: ${model}`,
    '    litellm_params:',
    `      model: openai/${model}`,
    `      api_base: ${provider}`,
    '      api_key: none',
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const words = ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1']
  // No table of prices from elsewhere, no word to anybody.
  const key = `sk-${randomBytes(24).toString('hex')}`
  const env = {
    ...{ PATH: process.env.PATH, HOME: scratch, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
    // It starts with none without a key of its own.
    LITELLM_MASTER_KEY: key,
  }
  const child = spawn(program, words, { env, cwd: scratch, stdio: 'ignore' })
  const version = versionIn(join(folder, 'litellm/lib'), 'litellm')
  return {
    name: `through LiteLLM's proxy ${version}`,
    url: `http://127.0.0.1:${port}/v1`,
    headers: { authorization: `Bearer ${key}` },
    word: model,
    child,
  }
}

async function portkey(folder, scratch, provider, model) {
  const home = join(folder, 'portkey/node_modules/@portkey-ai/gateway')
  const program = join(home, 'build/start-server.js')
  if (!existsSync(program)) return undefined
  const port = await freePort()
  const env = { PATH: process.env.PATH, HOME: scratch, NODE_ENV: 'production' }
  const child = spawn(process.execPath, [program, '--headless', `--port=${port}`], {
    env,
    cwd: scratch,
    stdio: 'ignore',
  })
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': provider, authorization: 'Bearer none' }
  return {
    name: `through Portkey's gateway ${version}`,
    url: `http://127.0.0.1:${port}/v1`,
    headers,
    word: model,
    child,
  }
}

/** Of a package of Python, by the folder that pip leaves. */
function versionIn(lib, name) {
  const [python = ''] = readdirSync(lib)
  const found = readdirSync(join(lib, python, 'site-packages')).find((each) => each.startsWith(`${name}-`))
  return /-([\d.]+)\.dist-info/.exec(found ?? '')?.[1] ?? ''
}

/** Answers within two minutes: some of them load for long. */
async function comesUp(gateway) {
  let gone = false
  gateway.child.once('exit', () => (gone = true))
  for (const until = Date.now() + 120_000; Date.now() < until && !gone;) {
    if (await answers(gateway, false)) {
      gateway.streams = await answers(gateway, true)
      if (!gateway.streams) console.log(`LEFT OUT of streams: ${gateway.name} answers them with an error here`)
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  return false
}

async function answers({ url, headers, word }, stream) {
  const body = JSON.stringify({ model: word, stream, messages: [{ role: 'user', content: 'hi' }] })
  const reply = await request(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }).catch(() => undefined)
  const text = await reply?.body.text()
  return reply?.statusCode === 200 && (!stream || text.includes('[DONE]'))
}
