/** A JSON file that a command was given; `-` is standard input. */
import { readFile } from 'node:fs/promises'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import type { Host } from './host.js'

/** Fails: host.usage with what is wrong with it. */
export async function readJson(file: string, { stdin }: Host): Promise<unknown> {
  let text: string
  try {
    text = file === '-' ? await textOf(stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new AetherflowError('host.usage', file, `cannot be read: ${errorCode(error)}`)
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch {
    throw new AetherflowError('host.usage', file, 'is not valid JSON')
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all).toString('utf8')
}
