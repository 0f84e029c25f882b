/** Small things about the texts and numbers of a cache. */
import type { CacheScope } from '../../../bindings/cache/ports.js'

/** A whole number; 0 for anything else. */
export const whole = (value: number): number => (Number.isFinite(value) ? Math.round(value) : 0)
/** As the core reads a prompt for its key. */
export const canonical = (text: string): string => text.replaceAll('\r\n', '\n').trim()

/** For lists: `tenant · provider/model`. */
export function labelOf({ tenant, provider, model }: CacheScope): string {
  const target = [provider, model].filter(Boolean).join('/')
  return [tenant, target].filter(Boolean).join(' · ')
}

/** Bytes of a text as UTF-8, without making them. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7ff) bytes += unit >= 0xd800 && unit <= 0xdfff ? 1 : 2
    else if (unit > 0x7f) bytes += 1
  }
  return bytes
}
