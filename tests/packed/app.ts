/** The packed package in a program's folder, as npm would unpack it; what it depends on is the project's own. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { projectPath } from '../fixtures/paths.js'

export const execute = promisify(execFile)

export interface App {
  readonly folder: string
  /** Where the package lies. */
  readonly home: string
  /** Writes files by their names below the folder. */
  write(files: Readonly<Record<string, string>>): void
  /** What a program of Node prints on standard output. Rejects when it fails, with what it said. */
  node(...args: string[]): Promise<string>
  remove(): void
}

/** Packs what is built. `depends`: packages of the project beside those that the package itself needs. */
export async function packedApp(depends: readonly string[] = []): Promise<App> {
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-app-'))
  const home = join(folder, 'node_modules', '@aetherflow', 'aetherflow')
  mkdirSync(home, { recursive: true })
  const { stdout } = await execute('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: projectPath('.'),
  })
  const [{ filename }] = Object.values(JSON.parse(stdout) as object) as [{ filename: string }]
  const tarball = join(folder, filename.replace('@', '').replace('/', '-'))
  await execute('tar', ['-xzf', tarball, '-C', home, '--strip-components=1'])
  rmSync(tarball)
  for (const name of ['undici', 'commander', 'eventsource-parser', '@huggingface/tokenizers', ...depends]) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(projectPath(join('node_modules', name)), place)
  }
  const app: App = {
    folder,
    home,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
    },
    async node(...args) {
      const { stdout } = await execute(process.execPath, args, { cwd: folder, env: plainEnvironment() })
      return stdout.trim()
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
  app.write({
    'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies: { '@aetherflow/aetherflow': '*' } }),
  })
  return app
}

/** Without the flags of the test runner, and without anybody's configuration and keys. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, XDG_CONFIG_HOME: '/nonexistent' }
}

/** What runs a plan and a cache and prints `["ok","exact"]`: the body of every program here. */
export const program = `
export const work = async ({ runPlan, SemanticCache }) => {
  const step = { id: 'a', type: 'analysis', description: 'say hello' }
  const result = await runPlan({ task_id: 't', description: 'd', steps: [step] }, { simulate: 'instant', config: {} })
  const cache = await SemanticCache.open({})
  const scope = { provider: 'groq', model: 'm' }
  await cache.put({ prompt: 'p', answer: 'a', scope })
  const { kind } = await cache.get({ prompt: 'p', scope })
  await cache.close()
  return JSON.stringify([result.outcome, kind])
}
`
export const printed = '["ok","exact"]'

/** A runtime of another make: from its variable, else from where scripts/runtimes.mjs puts it; undefined: it is not here. */
export function otherRuntime(name: 'deno' | 'bun'): string | undefined {
  const named = process.env[`AETHERFLOW_${name.toUpperCase()}`]
  const file = named ?? projectPath(`build/runtimes/${name}`)
  return existsSync(file) ? file : undefined
}
