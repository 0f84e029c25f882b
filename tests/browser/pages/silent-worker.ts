/** A worker that says it is ready, and nothing ever again. */
const scope = globalThis as unknown as { postMessage(message: unknown): void }
scope.postMessage([{ is: 'ready' }])

export {}
