type SimulatorModule = typeof import('../standard/simulator/index.js')

/**
 * The simulator, when a run asks for it: nobody else should have to load it. By its address, not as an import of this file:
 * some bundlers make workers of one piece, which cannot load parts of themselves.
 */
export async function loadSimulator(): Promise<SimulatorModule> {
  const { href } = new URL('./simulator.js', import.meta.url)
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as SimulatorModule
}
