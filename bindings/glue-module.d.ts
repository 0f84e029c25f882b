/** The generated glue has no types of its own: see scripts/lib/module.mjs. */
declare module '*/aetherflow_core.mjs' {
  const create: import('./module.js').CreateCore<import('./module.js').CoreGlue>
  export default create
}
declare module '*/aetherflow_index.mjs' {
  const create: import('./index/module.js').CreateIndex
  export default create
}
declare module '*/aetherflow_cache.mjs' {
  const create: import('./cache/module.js').CreateCache
  export default create
}
/** The modules' bytes as base64, and the cache's data: scripts, which bundlers for Node take along. */
declare module '*/aetherflow_core.bytes.js' {
  const bytes: string
  export default bytes
}
declare module '*/aetherflow_cache.bytes.js' {
  const bytes: string
  export default bytes
}
declare module '*/aetherflow_index.bytes.js' {
  const bytes: string
  export default bytes
}
declare module '*/aetherflow_index.data.js' {
  const data: import('./index/module.js').IndexData
  export default data
}
declare module '*/aetherflow_cache.data.js' {
  const data: import('./cache/module.js').CacheData
  export default data
}
declare module '*/aetherflow_limits.mjs' {
  const create: import('./module.js').CreateLimits
  export default create
}
declare module '*/aetherflow_limits.bytes.js' {
  const bytes: string
  export default bytes
}
