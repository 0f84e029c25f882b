// A peer's library over the platform's fetch, as its documentation shows it.
import { check, model, prompt, pump, system } from '../lib/calls.mjs'
import { importPeer, peerVersion } from '../lib/peers.mjs'

export const words = `AI SDK ${peerVersion('ai')}`

export async function open({ url, stream }) {
  const { generateText, streamText } = await importPeer('ai')
  const { createOpenAICompatible } = await importPeer('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({ name: 'bench', baseURL: url, apiKey: 'k', includeUsage: true })
  // Made once: it builds its schemas then, which would be most of a call.
  const chat = provider(model)
  const request = () => ({ model: chat, system, prompt, maxOutputTokens: 100, maxRetries: 0 })
  const once = async () => {
    if (!stream) return check((await generateText(request())).text)
    let text = ''
    for await (const piece of streamText(request()).textStream) text += piece
    check(text)
  }
  return { run: (count, concurrency) => pump(count, concurrency, once), close: () => {} }
}
