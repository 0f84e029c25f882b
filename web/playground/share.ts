/** A plan in the address, behind the #: it never reaches a server. Plan and mode alone; never keys, files or answers. */
import { formatCount } from '../standard/format.js'
import { copied } from './clipboard.js'

/** Longest fragment: some mailers and chats cut longer addresses. */
export const mostCharacters = 16_000
const marker = '#plan='

export interface Shared {
  readonly plan: string
  /** '': the link says none. */
  readonly mode: string
}

/** The fragment of a plan, `#plan=…&mode=…`; undefined: it is too large for an address. */
export async function shareFragment({ plan, mode }: Shared): Promise<string | undefined> {
  const bytes = await through(new TextEncoder().encode(plan), new CompressionStream('deflate-raw'))
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  const fragment = marker + text + (mode === '' ? '' : `&mode=${encodeURIComponent(mode)}`)
  return text.length > mostCharacters ? undefined : fragment
}

/** Puts the plan into the page's address, and the address into the clipboard where that is permitted; tells what came of it. */
export async function shareLink(shared: Shared): Promise<{ readonly words: string; readonly shared: boolean }> {
  const fragment = await shareFragment(shared)
  if (fragment === undefined) {
    const words = `The plan is too large for a link (more than ${formatCount(mostCharacters)} characters packed)`
    return { words, shared: false }
  }
  history.replaceState(null, '', fragment)
  const done = await copied(location.href)
  return done
    ? { words: 'The link is copied: it holds the plan and its mode, nothing else', shared: true }
    : { words: 'The link stands in the address bar; it could not be copied', shared: true }
}

/** Bytes that a plan from an address may have: deflate can grow a thousandfold. */
const mostBytes = 4 << 20

/** The plan of a fragment; undefined if there is none. Rejects when it is damaged. */
export async function sharedPlan(fragment: string): Promise<Shared | undefined> {
  if (!fragment.startsWith(marker)) return undefined
  const [packed = '', ...more] = fragment.slice(marker.length).split('&')
  const text = packed.replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  const plain = await through(bytes, new DecompressionStream('deflate-raw'))
  const mode = new URLSearchParams(more.join('&')).get('mode') ?? ''
  return { plan: new TextDecoder('utf-8', { fatal: true }).decode(plain), mode }
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const writer = stream.writable.getWriter()
  // What goes wrong is seen where it is read.
  void writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => undefined)
  void writer.close().catch(() => undefined)
  const reader = stream.readable.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value as Uint8Array)
    length += (value as Uint8Array).length
    if (length > mostBytes) throw new RangeError('the plan is too large')
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
