/** CRC-32 (ISO 3309, as in gzip and PNG) that goes on from an earlier one: over lines of text, or over the bytes of numbers. */

// Four tables take four bytes a step, which is what makes long answers cheap to check.
const tables = Array.from({ length: 4 }, () => new Uint32Array(256))
const [first, second, third, fourth] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
for (let byte = 0; byte < 256; ++byte) {
  let value = byte
  for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  first[byte] = value
}
for (let byte = 0; byte < 256; ++byte) {
  for (let table = 1; table < 4; ++table) {
    const value = tables[table - 1]![byte]!
    tables[table]![byte] = (value >>> 8) ^ first[value & 0xff]!
  }
}

const encoder = new TextEncoder()

/** `before`: the checksum of what stands before these bytes; 0 at the beginning. A whole number below 2³². */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before
  let at = 0
  for (const whole = bytes.length & ~3; at < whole; at += 4) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    value =
      fourth[value & 0xff]! ^
      third[(value >>> 8) & 0xff]! ^
      second[(value >>> 16) & 0xff]! ^
      first[(value >>> 24) & 0xff]!
  }
  for (; at < bytes.length; ++at) value = (value >>> 8) ^ first[(value ^ bytes[at]!) & 0xff]!
  return ~value >>> 0
}

/** Of a text's UTF-8 bytes. */
export function crc32OfText(text: string, before = 0): number {
  // Most lines are ASCII and short: then the characters are the bytes, and nothing is encoded twice.
  if (text.length > 512) return crc32(encoder.encode(text), before)
  let value = ~before
  for (let at = 0; at < text.length; ++at) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return crc32(encoder.encode(text), before)
    value = (value >>> 8) ^ first[(value ^ code) & 0xff]!
  }
  return ~value >>> 0
}

/** Of the numbers' bytes, as WebAssembly and every host of today order them: the lowest first. */
export function crc32OfNumbers(numbers: Float64Array, before = 0): number {
  return crc32(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), before)
}
