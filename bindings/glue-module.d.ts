/** The generated glue has no types of its own: see scripts/lib/module.mjs. */
declare module '*/aetherflow_core.mjs' {
  const create: import('./module.js').CreateCore
  export default create
}
declare module '*/aetherflow_cache.mjs' {
  const create: import('./cache/module.js').CreateCache
  export default create
}
