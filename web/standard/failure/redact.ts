/** Longest provider message that reaches a person, characters. */
const maxMessageLength = 300

/** A run of the prompt or answer this long inside a provider's message counts as an echo, characters. */
const echoLength = 20

/** A run of a key this long is cut out even where the rest of the key is not told, characters. */
const keyPartLength = 8

/** Key prefixes of the known providers, header echoes, and any long run that no English word is. */
const keyPatterns = [
  /\bBearer\s+\S+/gi,
  /\b(?:sk|gsk|pk|rk|xai|org|proj|key)[-_][\w*-]{4,}/gi,
  /\bAIza[\w-]{8,}/g,
  /\*{3,}\w*/g,
  /\b(?=\w*\d)[\w-]{24,}/g,
]

/**
 * A provider's error message made fit for reports: one line, at most 300 characters, without anything that looks like a
 * key. Empty when it repeats 20 or more characters of one of `payloads` (the prompt, the answer so far): a provider that
 * quotes the request would otherwise leak it. `secrets` (the key itself) are cut out first, whole or in part.
 */
export function safeMessage(message: string, secrets: readonly string[], payloads: readonly string[]): string {
  // Before anything is cut off: half of a key at the end would not be known for one.
  let text = secrets.reduce(withoutKey, message).slice(0, 4 * maxMessageLength)
  for (const pattern of keyPatterns) text = text.replace(pattern, '[redacted]')
  text = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, maxMessageLength)
  return payloads.some((payload) => echoes(text, payload)) ? '' : text
}

/** Every place that any eight characters of the key cover goes, so that no end of a longer part stays. */
function withoutKey(message: string, key: string): string {
  if (key.length < 4) return message
  const part = Math.min(key.length, keyPartLength)
  const covered = new Set<number>()
  for (let start = 0; start + part <= key.length; start++) {
    const window = key.slice(start, start + part)
    for (let at = message.indexOf(window); at >= 0; at = message.indexOf(window, at + 1))
      for (let place = at; place < at + part; place++) covered.add(place)
  }
  if (covered.size === 0) return message
  let text = ''
  for (let at = 0; at < message.length; at++) {
    if (!covered.has(at)) text += message[at]
    else if (!covered.has(at - 1)) text += '[key]'
  }
  return text
}

/** Whether `text` holds a window of `payload`, or the whole of a short one. Cost: |text| searches of the payload. */
function echoes(text: string, payload: string): boolean {
  const flat = payload.replace(/\s+/g, ' ').trim()
  if (flat.length < echoLength) return flat.length >= 8 && text.includes(flat)
  for (let start = 0; start + echoLength <= text.length; start++) {
    if (flat.includes(text.slice(start, start + echoLength))) return true
  }
  return false
}
