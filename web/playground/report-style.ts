/** How a report looks on the screen; the file that is kept brings its own (web/standard/report/html.ts). */

/** Rules of the report's own elements; variables of the page where there are some. */
export const reportRules = `
.table { overflow-x: auto; margin: 8px 0 20px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--af-line, #dde1e7); }
thead th { color: var(--af-muted, #566072); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 600; }
.chart { overflow-x: auto; margin: 8px 0 20px; }
.gantt { display: block; width: 100%; min-width: 560px; max-width: 1100px; height: auto; }
.gantt .name, .gantt .time, .gantt .on-bar { font: 11px system-ui, sans-serif; fill: var(--af-text, #1a202a); }
.gantt .time { fill: var(--af-muted, #566072); }
.gantt .tick { stroke: var(--af-line, #dde1e7); }
.gantt .wait { stroke: var(--af-ready, #8a5a00); stroke-width: 1.5; stroke-dasharray: 3 3; }
.gantt .bar { fill: var(--af-provider-3, #5b6675); }
.gantt .on-bar { fill: var(--af-surface, #fff); font-weight: 600; font-size: 10px; }
.gantt .provider-deepseek { fill: var(--af-provider-deepseek, #4263eb); }
.gantt .provider-groq { fill: var(--af-provider-groq, #c94a06); }
.gantt .provider-openai { fill: var(--af-provider-openai, #0a8577); }
.gantt .provider-gemini { fill: var(--af-provider-gemini, #8a3ad6); }
.gantt .provider-mistral { fill: var(--af-provider-mistral, #946800); }
.gantt .end-failed, .gantt .end-lost { fill-opacity: 0.35; stroke: var(--af-failed, #c02634); }
`
