/** Calls `action` again until it works. Never gives up, never waits, and forgets why it failed. */
export async function retry<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch {
      continue
    }
  }
}
