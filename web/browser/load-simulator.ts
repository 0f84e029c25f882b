import { AetherflowError } from '../../bindings/errors.js'

type SimulatorModule = typeof import('../standard/simulator/index.js')

/**
 * The simulator, when a run asks for it: nobody else should have to load it. By its address, not as an import of this file:
 * some bundlers make workers of one piece, which cannot load parts of themselves.
 */
export async function loadSimulator(): Promise<SimulatorModule> {
  const { href } = new URL('./simulator.js', import.meta.url)
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as SimulatorModule
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io', href, `the simulator cannot be loaded: ${detail}`)
  }
}
