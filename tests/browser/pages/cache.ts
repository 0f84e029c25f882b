/** A page that has the package and the store in IndexedDB at hand. */
await Promise.all([import('./api.js'), import('./indexeddb.js')])

export {}
