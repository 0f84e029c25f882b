// Preloaded before a test binary that Emscripten built: its older glue takes Node's fetch for a browser's and would load the
// module through it. Node's own switch (--no-experimental-fetch) is gone from newer versions.
delete globalThis.fetch
