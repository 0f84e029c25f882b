// The floor that everybody stands on: the platform's fetch and JSON.parse, nothing checked, nothing timed out.
import { check, model, prompt, pump, system } from '../lib/calls.mjs'

export const words = 'bare fetch + JSON.parse'

export function open({ url, stream }) {
  const once = async () => {
    const body = JSON.stringify({
      model,
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: prompt },
      ],
      max_tokens: 100,
      stream,
    })
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' }
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body })
    check(stream ? await streamed(response) : (await response.json()).choices[0].message.content)
  }
  return { run: (count, concurrency) => pump(count, concurrency, once), close: () => {} }
}

/** As in a tutorial: decode, cut at blank lines, parse. */
async function streamed(response) {
  const decoder = new TextDecoder()
  let [rest, text] = ['', '']
  for await (const part of response.body) {
    const events = (rest + decoder.decode(part, { stream: true })).split('\n\n')
    rest = events.pop()
    for (const event of events) {
      const data = event.slice('data: '.length)
      if (data !== '[DONE]') text += JSON.parse(data).choices[0].delta.content ?? ''
    }
  }
  return text
}
