/** What is said of a run before anything of it is opened: the rest of open-run.ts is loaded by runs that are kept. */
import { AetherflowError } from '../../../bindings/errors.js'

export const continuesRun = ({
  resume,
  reuse,
}: {
  resume?: boolean | undefined
  reuse?: boolean | undefined
}): boolean => resume === true || reuse === true

/** Refused: a run that is there, when another is to begin. */
export function runExists(name: string): AetherflowError {
  return new AetherflowError('host.journal', name, 'there is a run already: resume it, or begin another elsewhere')
}

/** Refused: no plan, and no run that has one. */
export function noRunThere(name: string): AetherflowError {
  return new AetherflowError('host.journal', name, 'there is no run: give its plan')
}

/** 128 bits in hex, random but for the six that `randomUUID` sets. That is far quicker, and missing from pages without TLS. */
export function runId(): string {
  const id = (crypto as Partial<Crypto>).randomUUID?.()
  if (id !== undefined) return id.replaceAll('-', '')
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
