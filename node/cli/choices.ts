/** Words that commands choose from: known before what they do is loaded. */

/** JSON Schemas in the package. */
export const schemas = ['plan', 'events', 'config'] as const
export type SchemaName = (typeof schemas)[number]

/** Shells that completions are written for. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]
