/** How graph, timeline and counters look; the same in the playground and inside the shadow root of <aetherflow-run>. */

export const viewCss = `
.af-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.af-empty { color: var(--af-muted); text-align: center; text-wrap: balance; }
.icon, .af-mark { flex: none; width: 16px; height: 16px; fill: currentColor; }
.af-mark { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.af-is-running { fill: currentColor; }
.af-is-done { color: var(--af-done); stroke-width: 2.2; }
.af-is-reused { color: var(--af-done); }
.af-is-failed { color: var(--af-failed); stroke-width: 2.2; }
.af-is-running { color: var(--af-running); }
.af-is-ready { color: var(--af-ready); }
.af-is-waiting { color: var(--af-waiting); }
.af-is-skipped { color: var(--af-skipped); }
.af-is-cancelled { color: var(--af-cancelled); }
.af-icon-button {
  display: inline-grid; place-items: center; width: 30px; height: 30px; padding: 0; font: 17px/1 var(--af-font);
  color: var(--af-muted); background: var(--af-raised); border: 1px solid var(--af-line); border-radius: 6px; cursor: pointer;
}
.af-icon-button:hover { color: var(--af-text); border-color: var(--af-line-strong); }
.af-dot { flex: none; display: inline-block; width: 9px; height: 9px; border-radius: 3px; background: var(--provider); margin-right: 6px; }

.af-graph { container-type: inline-size; position: relative; min-height: 0; overflow: hidden; background: var(--af-bg); }
.af-stage { position: absolute; inset: 0; touch-action: none; cursor: grab; outline-offset: -2px; }
.af-stage:active { cursor: grabbing; }
.af-stage.af-over-node { cursor: pointer; }
.af-stage canvas { display: block; width: 100%; height: 100%; }
.af-graph > .af-empty { position: absolute; inset: 0; display: grid; place-content: center; margin: 0; padding: 24px; pointer-events: none; }
.af-action { justify-self: center; margin-top: 12px; padding: 6px 14px; font: inherit; color: var(--af-text); background: var(--af-raised); border: 1px solid var(--af-line-strong); border-radius: 6px; cursor: pointer; pointer-events: auto; }
.af-action:hover { border-color: var(--af-text); }
.af-graph > .af-empty[hidden] { display: none; }
.af-find { position: absolute; left: 10px; top: 10px; display: flex; align-items: center; gap: 8px; }
@container (max-width: 480px) { .af-find { top: auto; bottom: 10px; } }
.af-find[hidden], .af-map[hidden] { display: none; }
.af-find-text { width: 150px; height: 30px; padding: 0 8px; font: 13px var(--af-font); color: var(--af-text); background: var(--af-raised); border: 1px solid var(--af-line-strong); border-radius: 6px; }
.af-find-said:empty { display: none; }
.af-find-said { padding: 2px 6px; border-radius: 4px; color: var(--af-muted); background: var(--af-bg); font: 12px var(--af-font); font-variant-numeric: tabular-nums; }
.af-map { position: absolute; left: 10px; bottom: 10px; background: var(--af-surface); border: 1px solid var(--af-line-strong); border-radius: 4px; cursor: crosshair; touch-action: none; }
.af-zoom { position: absolute; right: 10px; bottom: 10px; display: flex; gap: 4px; }

.af-timeline { display: grid; grid-template-rows: 1fr auto; min-height: 0; background: var(--af-surface); --names: clamp(124px, 26%, 200px); }
.af-timeline.af-none > * { visibility: hidden; }
.af-axis { position: sticky; top: 0; z-index: 1; height: 22px; background: var(--af-surface); box-shadow: -200px 0 var(--af-surface), 12px 0 var(--af-surface); margin-left: var(--names); margin-right: 12px; border-bottom: 1px solid var(--af-line); color: var(--af-muted); font: 11px/22px var(--af-font); font-variant-numeric: tabular-nums; }
.af-axis span { position: absolute; left: calc(var(--at) * 100%); padding-left: 4px; border-left: 1px solid var(--af-line); white-space: nowrap; }
.af-rows { position: relative; overflow: hidden auto; min-height: 0; outline-offset: -2px; }
.af-lines { position: relative; }
.af-line { position: absolute; left: 0; right: 0; height: 25px; display: grid; grid-template-columns: var(--names) 1fr; cursor: pointer; font: 12.5px/25px var(--af-font); color: var(--af-text); }
.af-line:hover { background: var(--af-sunken); }
.af-line[aria-selected='true'] { background: var(--af-accent-soft); box-shadow: inset 3px 0 var(--af-accent); }
.af-name { display: flex; align-items: center; gap: 7px; padding: 0 8px 0 12px; min-width: 0; }
.af-id { display: flex; min-width: 0; white-space: nowrap; }
.af-id > span { flex: 0 1000 auto; min-width: 5ch; overflow: hidden; text-overflow: ellipsis; }
/* Of both parts something stands: where there is room for neither, the end loses its own beginning. */
.af-id > .af-tail { display: flex; flex-shrink: 1; justify-content: flex-end; min-width: 0; }
.af-tries { flex: none; margin-left: auto; color: var(--af-ready); font-size: 11.5px; white-space: nowrap; }
.af-rows[hidden], .af-lanes[hidden] { display: none; }
.af-lanes { overflow: hidden auto; min-height: 0; }
.af-lanes canvas { display: block; width: 100%; touch-action: pan-y; }
.af-over-call { cursor: pointer; }
.af-foot { display: flex; align-items: center; border-top: 1px solid var(--af-line); }
.af-switch { display: flex; gap: 2px; margin: 3px 8px 3px auto; }
.af-switch[hidden] { display: none; }
.af-switch button { padding: 1px 9px; font: 12px/1.6 var(--af-font); color: var(--af-muted); background: none; border: 1px solid transparent; border-radius: 5px; cursor: pointer; }
.af-switch button[aria-pressed='true'] { color: var(--af-text); border-color: var(--af-line-strong); background: var(--af-raised); }
.af-track { position: relative; margin-right: 12px; }
.af-track > span { position: absolute; left: calc(var(--from) * 100%); width: calc(var(--for) * 100%); }
.af-bar { top: 5px; height: 15px; min-width: 3px; box-sizing: border-box; border-radius: 3px; overflow: hidden; background: var(--provider); color: var(--af-surface); font: 600 10.5px/15px var(--af-font); padding-left: 4px; white-space: nowrap; }
.af-bar.af-end-failed, .af-bar.af-end-lost { color: var(--af-text); border: 1px solid var(--af-failed); line-height: 13px; background: repeating-linear-gradient(-45deg, color-mix(in srgb, var(--provider) 35%, transparent) 0 4px, transparent 4px 8px); }
.af-bar.af-end-lost { border-color: var(--af-line-strong); }
.af-bar.af-audit, .af-bar.af-hedge, .af-bar.af-repair, .af-bar.af-verify, .af-bar.af-canary, .af-bar.af-judge { top: 7px; height: 11px; line-height: 11px; }
/* Always within the track, wherever its moment is. */
.af-track > .af-reused { top: 5px; box-sizing: border-box; width: auto; height: 15px; padding: 0 5px; border: 1px solid var(--af-done); border-radius: 8px; background: var(--af-done-soft); color: var(--af-done); font: 10.5px/13px var(--af-font); white-space: nowrap; transform: translateX(calc(var(--from) * -100%)); }
.af-queue { top: 12px; height: 0; border-top: 2px dotted var(--af-line-strong); }
.af-wait { top: 11px; height: 0; border-top: 3px dashed var(--af-ready); }
.af-cursor { position: absolute; top: 0; bottom: 0; left: calc(var(--names) + (100% - var(--names) - 12px) * var(--at, 0)); width: 1px; background: var(--af-running); opacity: 0.5; pointer-events: none; }
.af-cursor[hidden] { display: none; }
.af-legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0; padding: 5px 12px; list-style: none; color: var(--af-muted); font: 12px/1.4 var(--af-font); }
.af-legend:empty { display: none; }
.af-legend li { display: flex; align-items: center; }

.af-figures { container-type: inline-size; position: relative; background: var(--af-surface); }
.af-counters { display: grid; grid-auto-flow: column; grid-auto-columns: auto; margin: 0; padding: 8px 0 10px; gap: 4px 0; overflow: hidden; }
/* In one line, or in two of four: never one figure alone. */
@container (max-width: 759px) { .af-counters { grid-auto-flow: row; grid-template-columns: repeat(4, auto); } }
@container (max-width: 959px) { .af-counters:has(.af-count-reused:not([hidden])) { grid-auto-flow: row; grid-template-columns: repeat(4, auto); } }
@container (max-width: 479px) { .af-counters .af-count { padding: 0 4px 0 9px; } .af-counters .af-count dd { font-size: 13.5px; } .af-counters .af-count dt { font-size: 10.5px; } }
/* The line left of the first in each row lies outside, and is cut off. */
.af-count { margin-left: -1px; padding: 0 8px 0 14px; border-left: 1px solid var(--af-line); }
.af-count dt { color: var(--af-muted); font: 11px/1.4 var(--af-font); white-space: nowrap; }
.af-count dd { margin: 0; font: 600 16px/1.3 var(--af-font); font-variant-numeric: tabular-nums; white-space: nowrap; }
.af-count dd[data-state='bad'] { color: var(--af-failed); }
.af-progress { display: flex; height: 4px; background: var(--af-line); }
.af-progress span { flex: 0 1 0; min-width: 0; }
.af-part-done { background: var(--af-done); }
.af-part-failed { background: var(--af-failed); }
.af-part-skipped { background: repeating-linear-gradient(-45deg, var(--af-skipped) 0 3px, transparent 3px 6px); }
.af-part-cancelled { background: repeating-linear-gradient(-45deg, var(--af-cancelled) 0 3px, transparent 3px 6px); }
.af-part-running { background: color-mix(in srgb, var(--af-running) 45%, transparent); }
`
