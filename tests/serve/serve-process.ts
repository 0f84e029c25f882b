/** `aetherflow serve` as a command, with a configuration and keys of its own. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'

/** Of the key that it has unless others are said. */
export const token = 'afk_test_0123456789abcdef'

/** The words that start a server on a port of its choice with this configuration; its files are put into `folder`. */
export function serveWords(
  folder: string,
  config: object,
  keys: readonly object[] = [{ name: 'test', token }],
): string[] {
  const [configFile, keysFile] = [path.join(folder, 'config.json'), path.join(folder, 'keys.json')]
  writeFileSync(configFile, JSON.stringify(config))
  writeFileSync(keysFile, JSON.stringify({ keys }), { mode: 0o600 })
  return ['serve', '--port', '0', '--grace', '0', '--keys', keysFile, '--config', configFile]
}
