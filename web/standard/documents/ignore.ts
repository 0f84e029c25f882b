/**
 * Patterns of .gitignore (gitignore(5), "pattern format"): a line each; # comments; ! takes back; / at the end: folders alone; / elsewhere:
 * from the file's folder; * ? [ ] within one name; ** over folders. The last that fits decides.
 */

interface Rule {
  readonly fits: RegExp
  readonly keeps: boolean
  readonly folderOnly: boolean
}

/** `base`: folder of the file, relative to the root, '' for the root. */
export class IgnoreRules {
  readonly #rules: readonly Rule[]
  readonly #base: string

  constructor(text: string, base = '') {
    this.#base = base === '' ? '' : `${base}/`
    this.#rules = text.split(/\r?\n/).flatMap((line) => ruleOf(line) ?? [])
  }

  /** True: ignored; false: taken back; undefined: no pattern fits. A file in an ignored folder is not asked for. */
  ignores(path: string, folder: boolean): boolean | undefined {
    if (!path.startsWith(this.#base)) return undefined
    const inside = path.slice(this.#base.length)
    for (let i = this.#rules.length - 1; i >= 0; i--) {
      const rule = this.#rules[i]
      if (rule !== undefined && (folder || !rule.folderOnly) && rule.fits.test(inside)) return !rule.keeps
    }
    return undefined
  }
}

/** Of several files the innermost that says something decides. */
export function isIgnored(rules: readonly IgnoreRules[], path: string, folder: boolean): boolean {
  for (let i = rules.length - 1; i >= 0; i--) {
    const found = rules[i]?.ignores(path, folder)
    if (found !== undefined) return found
  }
  return false
}

function ruleOf(line: string): Rule | undefined {
  // Trailing blanks count only behind a backslash.
  let pattern = line.replace(/(?<!\\) +$/, '')
  if (pattern === '' || pattern.startsWith('#')) return undefined
  const keeps = pattern.startsWith('!')
  if (keeps) pattern = pattern.slice(1)
  const folderOnly = pattern.endsWith('/')
  if (folderOnly) pattern = pattern.slice(0, -1)
  if (pattern === '') return undefined
  const anchored = pattern.includes('/')
  const source = `${anchored ? '' : '(?:.*/)?'}${expression(pattern.replace(/^\//, ''))}`
  try {
    return { fits: new RegExp(`^${source}$`, 's'), keeps, folderOnly }
  } catch {
    // A malformed set of characters: git ignores the pattern too.
    return undefined
  }
}

function expression(pattern: string): string {
  let out = ''
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at)
    const set = /^\[([!^]?)(\]?[^\]/]*)\]/.exec(rest)
    if (at === 0 && rest.startsWith('**/')) {
      out += '(?:.*/)?'
      at += 2
    } else if (rest.startsWith('/**/')) {
      out += '/(?:.*/)?'
      at += 3
    } else if (rest === '/**') {
      out += '/.+'
      at += 2
    } else if (rest.startsWith('*')) {
      while (pattern[at + 1] === '*') at += 1
      out += '[^/]*'
    } else if (rest.startsWith('?')) out += '[^/]'
    else if (set !== null) {
      out += `(?!/)[${set[1] === '' ? '' : '^'}${(set[2] ?? '').replace(/[\\\]]/g, '\\$&').replace(/^\^/, '\\^')}]`
      at += set[0].length - 1
    } else {
      if (rest.startsWith('\\') && rest.length > 1) at += 1
      out += (pattern[at] ?? '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    }
  }
  return out
}
