/** The frame of <aetherflow-run>. Sizes and colours are variables: `--af-accent`, `--af-surface`, `--af-font`, … */
export const elementCss = `
:host {
  display: grid; grid-template-rows: auto auto minmax(160px, 3fr) minmax(110px, 2fr);
  min-height: 420px; overflow: hidden; color: var(--af-text); background: var(--af-surface);
  border: 1px solid var(--af-line); border-radius: var(--af-radius); font: 14px/1.5 var(--af-font);
}
:host([hidden]), [hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--af-accent); outline-offset: -2px; }
.head { display: flex; align-items: center; gap: 12px; min-height: 46px; padding: 6px 8px 6px 14px; border-bottom: 1px solid var(--af-line); }
.status { flex: 1; min-width: 0; margin: 0; overflow: hidden; color: var(--af-muted); text-overflow: ellipsis; white-space: nowrap; }
.status.bad { color: var(--af-failed); white-space: normal; }
.button {
  display: inline-flex; align-items: center; gap: 6px; height: 32px; padding: 0 14px; color: var(--af-on-accent);
  background: var(--af-accent); border: 0; border-radius: 6px; font: 600 14px var(--af-font); cursor: pointer;
}
.button:focus-visible { outline-offset: 2px; }
.af-timeline { border-top: 1px solid var(--af-line); }
`
