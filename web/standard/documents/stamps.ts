/** Stamps of files: which version of each the index knows. */

export type Stamps = Map<string, string>

/** Undefined for anything that was not written by this version. */
export function readStamps(text: string): Stamps | undefined {
  try {
    const value = JSON.parse(text) as { version?: unknown; files?: unknown }
    if (value.version !== 1 || typeof value.files !== 'object' || value.files === null) return undefined
    const entries = Object.entries(value.files).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    )
    return new Map(entries)
  } catch {
    return undefined
  }
}
