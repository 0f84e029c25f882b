// What a coding assistant reads and writes when it delegates, beside writing the code itself: ten tasks, counted on fixtures through
// the real server. The providers are simulated; the tokens are estimates, the same for both ways. See assistant/README.md.
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CoreRun } from '../../dist/bindings/core.js'
import { loadCore } from '../../dist/node/loader.js'
import { planCard } from '../../dist/node/plan-card.js'
import { breakEven, measure } from './assistant/protocol.mjs'

const source = fileURLToPath(new URL('../..', import.meta.url))
const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'aetherflow-assistant-')))
copyFileSync(path.join(source, 'CONTRIBUTING.md'), path.join(root, 'CONTRIBUTING.md'))
const tasks = JSON.parse(readFileSync(path.join(source, 'tests/bench/assistant/tasks.json'), 'utf8'))
const core = new CoreRun(await loadCore())
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [path.join(source, 'dist/node/cli/main.js'), 'mcp', '--root', root, '--simulate=instant'],
  env: { PATH: process.env.PATH ?? '', HOME: root, XDG_STATE_HOME: path.join(root, 'state') },
})
const client = new Client({ name: 'bench', version: '1' })
await client.connect(transport)
try {
  const call = async (name, given) => {
    const { content } = await client.callTool({ name, arguments: given })
    return content.map((part) => part.text ?? '').join('')
  }
  const { tools } = await client.listTools()
  const toolList = `${client.getInstructions() ?? ''}${JSON.stringify(tools)}`
  const tokens = (text) => core.estimateTokens(text)
  const rows = await measure(tasks, { call, root, toolList, card: planCard, tokens, source })
  const count = (value) => value.toLocaleString('en-US')
  const share = (value) => `${value > 0 ? '−' : '+'}${Math.abs(Math.round(value * 100))} %`
  console.log('| task | files | code | itself: written + read | delegated: written + read | |')
  console.log('| --- | --- | --- | --- | --- | --- |')
  for (const { task, files, code, a, b, saved } of rows)
    console.log(
      `| ${task} | ${files} | ${count(code)} | ${count(a.wrote)} + ${count(a.read)} | ${count(b.wrote)} + ${count(b.read)} | ${share(saved)} |`,
    )
  const many = rows.filter(({ files }) => files > 1)
  const sum = (of, way) => of.reduce((all, row) => all + row[way].wrote + row[way].read, 0)
  console.log(`\nmulti-file tasks together: ${share(1 - sum(many, 'b') / sum(many, 'a'))}; goal −83 %`)
  console.log(
    `written alone: ${share(1 - many.reduce((all, { b }) => all + b.wrote, 0) / many.reduce((all, { a }) => all + a.wrote, 0))}`,
  )
  const fixed = tokens(toolList) + tokens(planCard)
  console.log(
    `in a session that has read tool list and card: ${share(1 - (sum(many, 'b') - many.length * fixed) / sum(many, 'a'))}`,
  )
  const weighted = (way) => many.reduce((all, row) => all + 5 * row[way].wrote + row[way].read, 0)
  console.log(`a written token weighed as five read ones: ${share(1 - weighted('b') / weighted('a'))}`)
  console.log(`pays from about ${count(breakEven(rows))} tokens of code on`)
  console.log(`tool list ${count(tokens(toolList))} tokens, card ${count(tokens(planCard))}, in every row`)
} finally {
  await client.close()
  core.dispose()
  rmSync(root, { recursive: true, force: true })
}
