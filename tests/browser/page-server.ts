/** Serves what a page loads: the built package, the compiled tests, and pages made here, all under a strict policy. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, normalize } from 'node:path'
import { projectPath } from '../fixtures/paths.js'

/** Nothing but own files, the module, and providers on the loopback. */
export const strictPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
  "connect-src 'self' http://127.0.0.1:*; style-src 'self'"

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.json': 'application/json',
}

/** First part of a path → folder of the project. Compiled tests import what they test as `../../bindings/…`. */
const folders: Readonly<Record<string, string>> = {
  package: 'dist',
  dist: 'dist',
  bindings: 'dist/bindings',
  web: 'dist/web',
  core: 'dist/core',
  tests: 'build/tests-js/tests',
  traces: 'tests/traces',
  examples: 'examples',
  onnxruntime: 'node_modules/onnxruntime-web/dist',
}

export interface PageServerOptions {
  readonly policy?: string
  /** Folder of a page's own, served below `/site/`. */
  readonly site?: string
  /** First part of a path → any other folder. */
  readonly roots?: Readonly<Record<string, string>>
  /** Sent with everything. */
  readonly headers?: Readonly<Record<string, string>>
  /** Says another type than the usual of files with this ending. */
  readonly types?: Readonly<Record<string, string>>
}

export class PageServer {
  /** Addresses that were asked for. */
  readonly asked: string[] = []
  readonly #http: Server
  readonly #options: PageServerOptions

  private constructor(options: PageServerOptions) {
    this.#options = options
    this.#http = createServer((request, reply) => {
      const { url = '/' } = request
      this.asked.push(url)
      this.#content(new URL(url, 'http://page').pathname).then(
        ({ body, type }) => {
          const policy = this.#options.policy ?? strictPolicy
          reply.writeHead(200, {
            'content-type': type,
            'content-length': Buffer.byteLength(body),
            'content-security-policy': policy,
            'cache-control': 'no-store',
            ...this.#options.headers,
          })
          reply.end(body)
        },
        () => reply.writeHead(404).end(),
      )
    })
  }

  static async start(options: PageServerOptions = {}): Promise<PageServer> {
    const server = new PageServer(options)
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** A page that loads one module of tests/browser/pages; `ready` when all of it is there. */
  page(name: string): string {
    return `${this.origin}/page/${name}`
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections()
    this.#http.close()
    await once(this.#http, 'close')
  }

  async #content(path: string): Promise<{ body: string | Buffer; type: string }> {
    const [, first = '', ...rest] = path.split('/')
    const below = normalize(rest.join('/'))
    if (below.startsWith('..')) throw new Error('outside')
    if (first === 'page') {
      const body = `<!doctype html><html lang="en"><title>${below}</title><script type="module" src="/start/${below}.js"></script>`
      return { body, type: types['.html']! }
    }
    // Said here alone: a page that another is a part of would say it too early.
    if (first === 'start') {
      const body = `await import('/tests/browser/pages/${below}')\nglobalThis.ready = true\n`
      return { body, type: types['.js']! }
    }
    const folder = folders[first]
    const { site, roots = {} } = this.#options
    const root = first === 'site' ? site : roots[first]
    const file =
      root !== undefined ? `${root}/${below}` : folder === undefined ? undefined : projectPath(`${folder}/${below}`)
    if (file === undefined) throw new Error('not found')
    const ending = extname(file)
    const type = this.#options.types?.[ending] ?? types[ending] ?? 'text/plain; charset=utf-8'
    const body = await readFile(file)
    if (first !== 'tests') return { body, type }
    // Contract suites are written for Jest; a page has a stand-in.
    return { body: body.toString().replace(`'@jest/globals'`, `'/tests/browser/pages/suite.js'`), type }
  }
}
