/** A page that has the package's browser build at hand, as `window.api`. */
declare global {
  var api: typeof import('../../../web/browser/index.js')
  var ready: boolean
}

// By the address of the packed file: no bundler, no import map.
const address: string = '/package/browser/index.js'
globalThis.api = (await import(address)) as typeof globalThis.api

export {}
