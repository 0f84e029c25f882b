/** `aetherflow usage`: what runs of this user have used, from the ledger. */
import { AetherflowError } from '../../index.js'
import { Ledger } from '../../ledger/ledger.js'
import { countedSo, usageLines, usageOf } from '../../ledger/usage.js'
import { ioError } from '../../run/outputs.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'

export interface UsageFlags {
  readonly days?: number
  readonly json?: true
}

/** Fails: host.io_failed when the ledger cannot be read. */
export async function usage({ days = 30, json }: UsageFlags, host: Host): Promise<ExitCode> {
  const ledger = new Ledger(host.env)
  const found = await usageOf(ledger, days).catch((error: unknown) => {
    throw error instanceof AetherflowError ? error : ioError(ledger.folder, error)
  })
  const { byDay, byProvider, byCaller, ...rest } = found
  const sums = [byDay, byProvider, byCaller].map((one) => Object.fromEntries(one))
  const [day, provider, caller] = sums
  const record = { ...rest, byDay: day, byProvider: provider, byCaller: caller, counted: countedSo }
  host.stdout.write(json ? `${asciiControls(JSON.stringify(record))}\n` : `${usageLines(found).join('\n')}\n`)
  return exitCodes.ok
}
