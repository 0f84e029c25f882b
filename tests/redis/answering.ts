/** A provider on loopback: it answers each `STEP-name` with a text of its own, in pieces, and keeps a ledger. It holds what it is told to. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../node/index.js'
import { realProviders, type Providers } from '../../node/providers.js'
import type { ProviderEntry } from '../../web/standard/config.js'

export class Answering {
  /** Steps, in the order of arrival. */
  readonly ledger: string[] = []
  /** Steps whose client went before their end. */
  readonly left: string[] = []
  /** Steps that are not answered before they are let go. */
  readonly held = new Set<string>()
  /** Most calls at once. */
  most = 0
  #now = 0
  /** Every call is refused, for good. */
  refuses = false
  readonly #waiting = new Map<string, (() => void)[]>()
  #looks: (() => void)[] = []
  readonly #server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const step = /STEP-(\w+)/.exec(body)?.[1] ?? '?'
    this.ledger.push(step)
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    response.on('close', () => {
      this.#now -= 1
      if (!response.writableEnded) this.left.push(step)
      this.#look()
    })
    if (this.refuses) response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
    else this.#begin(response, step)
    this.#look()
  })

  static text(step: string): string {
    return `The answer of ${step}: ${`${step} äöü 漢字 `.repeat(8)}.`
  }

  #begin(response: ServerResponse, step: string): void {
    const text = Answering.text(step)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    this.#piece(response, text.slice(0, 10))
    const rest = (): void => {
      for (let at = 10; at < text.length; at += 17) this.#piece(response, text.slice(at, at + 17))
      const usage = { prompt_tokens: 20, completion_tokens: 60, total_tokens: 80 }
      this.#event(response, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })
      response.end('data: [DONE]\n\n')
    }
    if (!this.held.has(step)) return void setTimeout(rest, 5)
    this.#waiting.set(step, [...(this.#waiting.get(step) ?? []), rest])
  }
  #piece(response: ServerResponse, content: string): void {
    this.#event(response, { choices: [{ index: 0, delta: { role: 'assistant', content } }] })
  }
  #event(response: ServerResponse, event: object): void {
    const whole = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', ...event }
    response.write(`data: ${JSON.stringify(whole)}\n\n`)
  }
  #look(): void {
    for (const look of this.#looks.splice(0)) look()
  }

  letGo(step: string): void {
    this.held.delete(step)
    for (const rest of this.#waiting.get(step) ?? []) rest()
    this.#waiting.delete(step)
  }
  async until(what: () => boolean): Promise<void> {
    while (!what()) await new Promise<void>((resolve) => this.#looks.push(resolve))
  }
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }
  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

export function answeringConfig(baseUrl: string): Config {
  const models = { m: { in: 1, cached: 1, out: 1, firstTokenMs: 10, tokensPerSecond: 1000, maxOut: 512 } }
  const builtIn = ['deepseek', 'gemini', 'groq', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'AETHERFLOW_UNSET' }])
  const own = { dialect: 'generic', baseUrl, key: 'k-0123456789', json: 'none', default: 'm', models }
  return {
    providers: { ...Object.fromEntries(builtIn), mine: own },
    modes: { build: { rules: [{ name: 'all', use: ['mine'], why: 'it is there' }] } },
  } as Config
}

/** first → a…, b…, c… of two each → last. */
export function diamond(): {
  task_id: string
  description: string
  steps: { id: string; type: string; description: string; dependencies: string[] }[]
} {
  const step = (id: string, ...dependencies: string[]) => ({
    ...{ id, type: 'testing', description: `Write what STEP-${id} needs.`, dependencies },
  })
  const middle = ['a', 'b', 'c'].flatMap((name) => [step(`${name}1`, 'first'), step(`${name}2`, `${name}1`)])
  return { task_id: 'd', description: '', steps: [step('first'), ...middle, step('last', 'a2', 'b2', 'c2')] }
}

/** The clients of the one provider that such a configuration has. */
export function clientsOf({ providers = {} }: Config): Providers {
  const { dialect = 'generic', baseUrl = '', key = '' } = providers['mine'] as Partial<ProviderEntry>
  return realProviders({ entries: [{ id: 'mine', dialect, baseUrl, key } as ProviderEntry] })
}
