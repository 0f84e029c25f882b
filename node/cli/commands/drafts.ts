/** `aetherflow drafts [export|reset]`: what runs have learnt of drafts, by pair of models. */
import { writeFile } from 'node:fs/promises'
import { oneLine } from '../../../web/standard/format.js'
import { promptVersion } from '../../../web/standard/draft/desk.js'
import { DraftStore } from '../../drafts/store.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'

const states = ['on', 'off: too few accepted', 'off: too many regretted']

export async function drafts(flags: { readonly json?: true }, host: Host): Promise<ExitCode> {
  const store = new DraftStore(host.env)
  const pairs = await store.pairs()
  if (flags.json) return exportDrafts(undefined, host)
  if (pairs.length === 0) host.stdout.write('nothing is known of drafts yet\n')
  const rows = pairs.map((pair) => [
    pair.type,
    oneLine(pair.draft),
    oneLine(pair.verifier),
    `${pair.accepted} of ${pair.drafted}`,
    String(pair.patched),
    `${pair.regrets} of ${pair.audited}`,
    states[pair.off] ?? 'off',
  ])
  const heads = ['Type', 'Draft', 'Verifier', 'Accepted', 'Patched', 'Regretted', 'State']
  if (rows.length > 0) host.stdout.write(`${alignedTable(heads, rows, host.stdout.columns ?? 120).join('\n')}\n`)
  return exitCodes.ok
}

/** As the state folder keeps it: what another machine takes in that folder. */
export async function exportDrafts(file: string | undefined, host: Host): Promise<ExitCode> {
  const pairs = await new DraftStore(host.env).pairs()
  const text = asciiControls(`${JSON.stringify({ version: 1, prompts: promptVersion, pairs })}\n`)
  if (file === undefined) host.stdout.write(text)
  else await writeFile(file, text)
  return exitCodes.ok
}

export async function resetDrafts(host: Host): Promise<ExitCode> {
  const store = new DraftStore(host.env)
  await store.reset()
  host.stdout.write(`${oneLine(store.path)} is gone: the next run begins with nothing\n`)
  return exitCodes.ok
}
