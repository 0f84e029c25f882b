/** Copies a text; false where it is not permitted, or the page did not come safely enough to have a clipboard. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
