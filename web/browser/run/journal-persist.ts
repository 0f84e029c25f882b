let asked = false

/**
 * Asks the browser, once for each page, not to clear what is kept here when it runs short of room. It may refuse, some ask the person,
 * and nothing depends on the answer.
 */
export function askToPersist(): void {
  const storage = globalThis.navigator?.storage
  if (asked || storage?.persist === undefined) return
  asked = true
  void storage
    .persisted()
    .then((persisted) => persisted || storage.persist())
    .catch(() => undefined)
}
