/** The entries by which coding assistants find `aetherflow mcp`: the file of each, below the project, and its form. */

export const assistants = ['claude-code', 'cursor', 'vscode'] as const
export type Assistant = (typeof assistants)[number]

/** `npx aetherflow` would be another package of that name. */
const command = { command: 'npx', args: ['-y', '@aetherflow/aetherflow', 'mcp'] }

export interface AssistantEntry {
  readonly file: string
  /** Of a file that holds nothing else. */
  readonly content: Readonly<Record<string, Readonly<Record<string, object>>>>
}

export const assistantEntries: Readonly<Record<Assistant, AssistantEntry>> = {
  'claude-code': { file: '.mcp.json', content: { mcpServers: { aetherflow: command } } },
  cursor: { file: '.cursor/mcp.json', content: { mcpServers: { aetherflow: command } } },
  vscode: { file: '.vscode/mcp.json', content: { servers: { aetherflow: { type: 'stdio', ...command } } } },
}

/** What is to be added by hand to a file that is somebody's own; undefined: it has an entry of ours. */
export function missingEntry({ content }: AssistantEntry, text: string): string | undefined {
  const [[member = '', servers = {}] = []] = Object.entries(content)
  if (/"aetherflow"\s*:/.test(text)) return undefined
  return `it lacks, in "${member}": ${JSON.stringify(servers).slice(1, -1)}`
}
