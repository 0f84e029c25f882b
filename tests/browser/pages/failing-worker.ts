/** A worker that says it is ready and dies of its first job. */
const scope = globalThis as unknown as {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: () => void): void
}
scope.addEventListener('message', () => {
  throw new Error('out of order')
})
scope.postMessage([{ is: 'ready' }])

export {}
