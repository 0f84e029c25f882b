/**
 * Parts that only some runs need, loaded when one asks: nobody else should have to. By their addresses, not as imports of this
 * file: some bundlers make workers of one piece, which cannot load parts of themselves. So each part is whole, in one file.
 *
 * Named by what runs in workers alone: webpack loses the files that a page and its worker both name, and the worker never starts.
 */
import { AetherflowError } from '../../../bindings/errors.js'

async function load<T>(what: string, address: URL): Promise<T> {
  const { href } = address
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as T
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', href, `the ${what} cannot be loaded: ${detail}`)
  }
}

// Bundlers look for exactly these expressions.
export const loadSimulator = () =>
  load<typeof import('../../standard/simulator/index.js')>('simulator', new URL('./simulator.js', import.meta.url))
export const loadJournal = () =>
  load<typeof import('../run/journal.js')>('journal', new URL('./journal.js', import.meta.url))
export const loadProbe = () => load<typeof import('../probe.js')>('probe', new URL('./probe.js', import.meta.url))
export const loadProviders = () =>
  load<typeof import('../providers.js')>('provider clients', new URL('./providers.js', import.meta.url))
