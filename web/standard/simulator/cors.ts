import type { Wire } from './wire/wire.js'

/** On every reply, so that no figure of the simulator passes for a provider's. Which headers the real ones expose is not known. */
export const label = {
  'x-aetherflow-simulated': '1',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': '*',
}

/**
 * The answer to a browser's question whether it may send its headers. Most providers allow whatever is asked for; two have a
 * fixed list, and one of them refuses a question for more, so that the page sees no reply at all.
 */
export function preflight(request: Request, wire: Wire | undefined): Response {
  const asked = request.headers.get('access-control-request-headers') ?? 'authorization, content-type'
  const fixed = wire?.allowedHeaders
  const names = asked.split(',').map((name) => name.trim().toLowerCase())
  if (fixed?.othersRefused && names.some((name) => name !== '' && !fixed.names.includes(name))) {
    return new Response(null, { status: 403, headers: { 'x-aetherflow-simulated': '1' } })
  }
  return new Response(null, {
    status: 204,
    headers: {
      ...label,
      'access-control-allow-headers': fixed ? fixed.names.join(', ') : asked,
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
    },
  })
}

/** The headers of a refusal: some providers leave out the one that lets a page read it. */
export function refusalLabel(status: number, wire: Wire | undefined): Readonly<Record<string, string>> {
  if (status !== 401 || !wire?.hidesRefusedKeys) return label
  return { 'x-aetherflow-simulated': '1' }
}
