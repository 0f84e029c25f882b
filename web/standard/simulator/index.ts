export { createSimulator, type Simulator, type SimulatorOptions } from './simulator.js'
export type { Ledger, LedgerEntry } from './ledger.js'
export {
  injectableFailures,
  simulatedProviders,
  simulatorProfiles,
  type InjectableFailure,
  type ProviderProfile,
  type SimulatedProvider,
  type SimulatorProfile,
  type SimulatorProfileName,
} from './profiles.js'
