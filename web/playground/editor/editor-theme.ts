/** How the editor looks: the colours of the page, which reach into its shadow root as variables. */
import { EditorView } from '@codemirror/view'

export const editorCss = `
:host { display: block; height: 100%; overflow: hidden; background: var(--af-surface); }
.cm-editor { height: 100%; }
.hint { max-width: 36ch; padding: 6px 10px; font: 12.5px/1.45 var(--af-font); }
.hint p { margin: 2px 0; }
.hint-type { color: var(--af-muted); }
`

export const editorTheme = EditorView.theme({
  '&': { color: 'var(--af-text)', backgroundColor: 'var(--af-surface)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  // An outline would lie under the gutter.
  '&.cm-focused::after': {
    content: '""',
    position: 'absolute',
    inset: '0',
    zIndex: '300',
    border: '2px solid var(--af-accent)',
    pointerEvents: 'none',
  },
  '.cm-scroller': { fontFamily: 'var(--af-mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--af-accent)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--af-accent)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--code-selection)',
  },
  '.cm-activeLine': { backgroundColor: 'var(--code-line)' },
  '.cm-gutters': { backgroundColor: 'var(--af-surface)', color: 'var(--code-gutter)', border: 'none' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--code-line)' },
  '.cm-foldPlaceholder': {
    backgroundColor: 'var(--af-sunken)',
    border: '1px solid var(--af-line)',
    color: 'var(--af-muted)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--af-accent-soft)',
    outline: '1px solid var(--af-accent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--af-raised)',
    border: '1px solid var(--af-line-strong)',
    borderRadius: '6px',
    color: 'var(--af-text)',
    boxShadow: '0 6px 24px rgb(0 0 0 / 0.18)',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--af-mono)', fontSize: '12.5px', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--af-accent)',
    color: 'var(--af-on-accent)',
  },
  '.cm-completionDetail': { fontStyle: 'normal', opacity: '0.8' },
  '.cm-completionInfo': { maxWidth: '34ch', padding: '6px 10px', font: '12.5px/1.45 var(--af-font)' },
  '.cm-diagnostic': {
    padding: '6px 10px',
    font: '12.5px/1.45 var(--af-font)',
    whiteSpace: 'pre-wrap',
    maxWidth: '60ch',
  },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--af-failed)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--af-ready)' },
  '.cm-diagnosticSource': { color: 'var(--af-muted)', opacity: '1', fontFamily: 'var(--af-mono)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--af-failed) 1.2px',
    textUnderlineOffset: '3px',
  },
  '.cm-lintRange-warning': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--af-ready) 1.2px',
    textUnderlineOffset: '3px',
  },
  '.cm-gutter-lint': { width: '14px' },
})
