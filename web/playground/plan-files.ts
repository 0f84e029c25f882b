/** Plans from files and to files. */

/** Bytes that a plan's file may have: the core takes no larger plans. */
const mostBytes = 4 << 20

/** The text of a plan's file: UTF-8, or UTF-16 with its mark, as some editors write it. Rejects with words for the visitor. */
export async function planOfFile(file: File): Promise<string> {
  if (file.size > mostBytes) throw new Error(`${file.name} is larger than ${mostBytes >> 20} MB: it is no plan`)
  const bytes = new Uint8Array(await file.arrayBuffer())
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`${file.name} is no text: a plan is JSON in UTF-8`)
  }
}

/** Asks for a file; undefined: none was picked. */
export function pickFile(): Promise<File | undefined> {
  return new Promise((resolve) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.accept = '.json,application/json,text/plain'
    input.addEventListener('change', () => resolve(input.files?.[0]))
    input.addEventListener('cancel', () => resolve(undefined))
    input.click()
  })
}

/** `task_id` of a plan's text as a file's name; `plan.json` when it has none, or is broken. */
export function planFileName(text: string): string {
  let id: unknown
  try {
    id = (JSON.parse(text) as { readonly task_id?: unknown } | null)?.task_id
  } catch {
    // A draft is saved as it is.
  }
  const name = typeof id === 'string' ? id.replace(/[^\w.-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '') : ''
  return `${name.slice(0, 60) || 'plan'}.json`
}

/** Hands a text over as a download. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has its own hold on the data once it began.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** A plan to begin with: two steps side by side and one that joins them. */
export const skeleton = `{
  "task_id": "my-task",
  "description": "What the task is for, in a sentence.",
  "steps": [
    {
      "id": "facts",
      "type": "analysis",
      "description": "Collect the facts about the subject.",
      "dependencies": []
    },
    {
      "id": "ideas",
      "type": "brainstorming",
      "description": "List five ideas about the subject.",
      "dependencies": []
    },
    {
      "id": "summary",
      "type": "documentation",
      "description": "Summarise: {{steps.facts.output}} {{steps.ideas.output}}",
      "dependencies": ["facts", "ideas"]
    }
  ]
}
`
