/**
 * The editor of a plan. It lives in a shadow root: there CodeMirror's styles are adopted sheets, which a strict
 * Content-Security-Policy lets pass; in the document itself they would be a <style> element.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { h } from '../../element/dom.js'
import { styleSheet } from '../../element/theme.js'
import { planCompletions, planHints, type Known } from './completion.js'
import { editorCss, editorTheme } from './editor-theme.js'
import { rangeOfPointer, stepAt } from './json-place.js'

/** What the core says of a plan, as its errors and warnings are. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  /** JSON Pointer; empty: the whole text. */
  readonly where: string
  readonly detail: string
  readonly advice: string
}

export interface EditorOptions {
  readonly onChange: (text: string) => void
  /** Ctrl or ⌘ and Enter. */
  readonly onRun: () => void
  /** The cursor has come into a step. */
  readonly onStep: (step: number | undefined) => void
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--code-name)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-literal)' },
  { tag: tags.punctuation, color: 'var(--af-muted)' },
])

/** Problems that are about a member's name, not its value. */
const aboutNames = new Set(['plan.unknown_member', 'plan.duplicate_key'])

export class PlanEditor {
  readonly element: HTMLElement
  readonly #view: EditorView

  constructor(known: Known, options: EditorOptions) {
    this.element = h('div', { class: 'editor' })
    const root = this.element.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [styleSheet(editorCss)]
    this.#view = new EditorView({ root, parent: root, state: this.#state('', known, options) })
  }

  #state(doc: string, known: Known, options: EditorOptions): EditorState {
    let step: number | undefined
    const told = EditorView.updateListener.of((update) => {
      if (update.docChanged) options.onChange(update.state.doc.toString())
      if (!update.selectionSet && !update.docChanged) return
      const now = stepAt(update.state, update.state.selection.main.head)
      if (now !== step) options.onStep(now)
      step = now
    })
    const run = {
      key: 'Mod-Enter',
      run: () => {
        options.onRun()
        return true
      },
    }
    const extensions: Extension[] = [
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      history(),
      drawSelection(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      json(),
      syntaxHighlighting(colours),
      autocompletion({ override: [planCompletions(known)], icons: false }),
      planHints(known.schema),
      keymap.of([run, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap]),
      keymap.of([...completionKeymap, ...lintKeymap]),
      EditorView.lineWrapping,
      // Tab leaves the editor, as everywhere on a page: nobody is caught in it.
      EditorView.contentAttributes.of({ 'aria-label': 'Plan, JSON', tabindex: '0' }),
      editorTheme,
      told,
    ]
    return EditorState.create({ doc, extensions })
  }

  get text(): string {
    return this.#view.state.doc.toString()
  }
  /** Replaces the text; what was typed can be brought back by undo. */
  set text(text: string) {
    const { length } = this.#view.state.doc
    this.#view.dispatch({
      changes: { from: 0, to: length, insert: text },
      selection: { anchor: 0 },
      scrollIntoView: true,
    })
  }

  /** Marks what the core says where it says it. */
  problems(problems: readonly Problem[]): void {
    const { state } = this.#view
    const diagnostics: Diagnostic[] = problems.map((problem) => ({
      ...this.#range(problem),
      severity: problem.severity,
      source: problem.code,
      message: problem.detail === '' ? problem.advice : `${problem.detail}: ${problem.advice}`,
    }))
    diagnostics.sort((a, b) => a.from - b.from)
    this.#view.dispatch(setDiagnostics(state, diagnostics))
  }

  /** Shows and selects the place of a problem. */
  goTo(problem: Problem): void {
    const { from, to } = this.#range(problem)
    this.#view.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true })
    this.#view.focus()
  }

  /** Shows a step without taking the focus. */
  showStep(step: number): void {
    const { from } = rangeOfPointer(this.#view.state, `/steps/${step}`)
    this.#view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'start', yMargin: 24 }) })
  }

  focus(): void {
    this.#view.focus()
  }

  #range({ code, where, detail }: Problem): { from: number; to: number } {
    const { state } = this.#view
    const byte = where === '' ? /\(byte (\d+)\)/.exec(detail)?.[1] : undefined
    if (byte === undefined) return rangeOfPointer(state, where, aboutNames.has(code))
    const at = characterOf(state.doc.toString(), Number(byte))
    // At least one character, so that there is something to see; at the end the last one.
    const from = Math.min(Math.max(0, at - (at >= state.doc.length ? 1 : 0)), state.doc.length)
    return { from, to: Math.min(state.doc.length, from + 1) }
  }
}

/** Bytes of UTF-8 as the core counts them to characters as the editor does. */
function characterOf(text: string, byte: number): number {
  const bytes = new TextEncoder().encode(text).subarray(0, byte)
  return new TextDecoder().decode(bytes).length
}
