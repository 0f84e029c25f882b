/**
 * Does a file of code parse, and what is plainly wrong with it? In this process, by the grammars beside the package's code: nothing
 * of the text is run. JavaScript by acorn, TypeScript, JSX and Python by tree-sitter, JSON by its own parser.
 */
import { grammars, loadAcorn } from '../documents/grammars.js'
import type { SyntaxNode } from '../../web/standard/documents/grammars.js'
import type { CodeProblem, CodeReport } from './code-report.js'
import { lintRules } from './lint.js'

export type * from './code-report.js'

const languageOf: Readonly<Record<string, string>> = {
  ...{ js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript' },
  ...{ ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'typescript' },
  ...{ py: 'python', pyi: 'python', json: 'json' },
}
const extensionOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1).toLowerCase()

/** The language by the end of a name; undefined: none that can be checked. */
export const codeLanguage = (path: string): string | undefined => languageOf[extensionOf(path)]

/** Most problems that are told. */
const most = 20

/** `path` says the language by its end. undefined: it is not known, or its grammar cannot be loaded. */
export async function checkCode(path: string, text: string): Promise<CodeReport | undefined> {
  const language = codeLanguage(path)
  if (language === undefined) return undefined
  const lines = text.split('\n').length
  const shape = shapeOf(text, language)
  if (language === 'json') return { language, syntax: jsonProblems(text), lint: undefined, shape, lines }
  const bytes = new TextEncoder().encode(text)
  const exact = ['js', 'mjs', 'cjs'].includes(extensionOf(path)) ? await javascript(extensionOf(path), text) : undefined
  const read = await grammars.read(path, bytes, (root, grammar) => {
    const syntax = exact ?? treeProblems(root)
    return { syntax, lint: syntax.length > 0 ? [] : lintRules(root, grammar).slice(0, most) }
  })
  if (read !== undefined) return { language, ...read, shape, lines }
  return exact === undefined ? undefined : { language, syntax: exact, lint: undefined, shape, lines }
}

interface Acorn {
  parse(text: string, options: Record<string, unknown>): unknown
}

/** undefined: acorn is not there. A file that may be either is right when it parses as one of them. */
async function javascript(extension: string, text: string): Promise<CodeProblem[] | undefined> {
  const acorn = (await loadAcorn().catch(() => undefined)) as Acorn | undefined
  if (acorn === undefined) return undefined
  const kinds = extension === 'mjs' ? ['module'] : extension === 'cjs' ? ['script'] : ['module', 'script']
  let first: CodeProblem | undefined
  for (const sourceType of kinds) {
    try {
      const script = sourceType === 'script'
      acorn.parse(text, { ecmaVersion: 'latest', sourceType, allowHashBang: true, allowReturnOutsideFunction: script })
      return []
    } catch (error) {
      const { loc, message } = error as { loc?: { line: number; column: number }; message: string }
      first ??= { line: loc?.line ?? 1, column: (loc?.column ?? 0) + 1, what: message.replace(/ \(\d+:\d+\)$/, '') }
    }
  }
  return first === undefined ? [] : [first]
}

function treeProblems(root: SyntaxNode): CodeProblem[] {
  const found: CodeProblem[] = []
  const waiting: SyntaxNode[] = root.hasError ? [root] : []
  for (let node = waiting.pop(); node !== undefined && found.length < most; node = waiting.pop()) {
    const { row, column } = node.startPosition
    if (node.isMissing) found.push({ line: row + 1, column: column + 1, what: `'${node.type}' is missing` })
    else if (node.isError) {
      const text = node.text.slice(0, 40).split('\n')[0] ?? ''
      found.push({ line: row + 1, column: column + 1, what: `unexpected '${text.trim()}'` })
    } else
      for (const child of [...node.children].reverse()) if (child?.hasError || child?.isMissing) waiting.push(child)
  }
  return found
}

function jsonProblems(text: string): CodeProblem[] {
  try {
    JSON.parse(text)
    return []
  } catch (error) {
    const { message } = error as Error
    const position = /position (\d+)/.exec(message)?.[1]
    const before = position === undefined ? text : text.slice(0, Number(position))
    const lines = before.split('\n')
    return [{ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, what: 'no valid JSON' }]
  }
}

/** Words by which models leave code out: in a comment, or as a line of their own. */
const leftOut =
  /^\s*(?:(?:\/\/|#|\/\*|\*|<!--|--)\s*)?(?:\.\.\.|…)?\s*(?:\(?(?:the )?(?:rest|remaining|other|existing|previous)\b[^\n]{0,40}\b(?:code|unchanged|same|as before|here|functions?|methods?|implementation|stays|remains|goes)\b|(?:le reste|code existant)\b)/i
const toDo = /(?:\/\/|#|\/\*)\s*(?:TODO|FIXME|XXX)\b[^\n]*\b(?:implement|complete|fill|add)\b/i
const onlyDots = /^\s*(?:(?:\/\/|#|\/\*)\s*(?:\.\.\.|…)|(?:…))\s*(?:\*\/)?\s*$/
const fence = /^\s{0,3}(?:```|~~~)/

function shapeOf(text: string, language: string): CodeProblem[] {
  const found: CodeProblem[] = []
  const lines = text.split('\n')
  const tell = (index: number, what: string): void => void found.push({ line: index + 1, column: 1, what })
  const filled = lines.flatMap((line, index) => (line.trim() === '' ? [] : [index]))
  if (filled.length === 0) found.push({ line: 1, column: 1, what: 'the file is empty', leavesOut: true })
  // Within, they may stand in a text of the program.
  for (const end of new Set([filled[0] ?? 0, filled.at(-1) ?? 0]))
    if (language !== 'json' && fence.test(lines[end] ?? '')) tell(end, 'a fence of Markdown stands in the code')
  lines.forEach((line, index) => {
    if (found.length >= most || line.length > 500) return
    if (leftOut.test(line) || onlyDots.test(line))
      found.push({ line: index + 1, column: 1, what: 'code is left out here', leavesOut: true })
    else if (toDo.test(line)) tell(index, 'something is left to be done')
  })
  return found
}
