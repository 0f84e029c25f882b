import { describe, expect, test } from '@jest/globals'
import { violations } from './layers.js'
import { sources } from './sources.js'

const faults = (path: string, text: string) => violations([{ path, text }])

describe('the check itself', () => {
  test.each([
    ['core/base/a.hpp', '#include "core/plan/plan.hpp"', 'core/base must not include core/plan'],
    ['core/plan/a.cpp', '#include "core/run/run.hpp"', 'core/plan must not include core/run'],
    ['core/limit/a.cpp', '#include "core/metrics/report.hpp"', 'core/limit must not include core/metrics'],
    ['core/plan/a.cpp', '#include "plan.hpp"', 'write the path from the root'],
    ['core/run/a.cpp', '#include <emscripten/bind.h>', 'bindings/exports.cpp and *_embind.cpp alone'],
    ['core/base/a.hpp', '#include "bindings/exports.hpp"', 'only into core/'],
    ['web/standard/sse.ts', "import { x } from '../../node/index.js'", 'web/standard must not import node'],
    ['web/standard/sse.ts', "import fs from 'node:fs'", 'runs without Node'],
    ['web/standard/sse.ts', "const x = await import('../browser/store.js')", 'must not import web/browser'],
    ['bindings/core.ts', "export * from '../web/standard/sse.js'", 'bindings must not import web/standard'],
    ['node/index.ts', "import '../web/browser/loader.js'", 'node must not import web/browser'],
    ['node/index.ts', "import { x } from '../tests/help.js'", 'node must not import tests'],
    ['examples/01.ts', "import { x } from '../node/index.js'", 'examples must not import node'],
  ])('%s: %s', (path, text, why) => {
    expect(faults(path, `\n${text}\n`)).toEqual([expect.stringContaining(`${path}:2: `)])
    expect(faults(path, text)[0]).toContain(why)
  })

  test.each([
    ['core/prompt/a.hpp', '#include "core/plan/plan.hpp"'],
    ['core/run/a.hpp', '#include "core/schedule/step_table.hpp"\n#include <string>'],
    ['core/base/a.hpp', '// #include "core/run/run.hpp"'],
    ['bindings/exports.cpp', '#include <emscripten/emscripten.h>\n#include "core/run/run.hpp"'],
    ['bindings/index_embind.cpp', '#include <emscripten/bind.h>\n#include "core/index/ngrams.hpp"'],
    ['bindings/cache_embind.cpp', '#include <emscripten/bind.h>\n#include "core/cache/key.hpp"'],
    ['node/index.ts', "import { x } from '../web/standard/sse.js'\nimport fs from 'node:fs'"],
    ['web/standard/a/b.ts', "import { x } from '../../../bindings/ports.js'"],
    ['tests/node/a.test.ts', "import { x } from '../../node/index.js'"],
  ])('allows %s: %s', (path, text) => {
    expect(faults(path, text)).toEqual([])
  })
})

test('no arrow of the architecture runs backwards', () => {
  const files = sources(['.cpp', '.hpp', '.ts'])
  expect(files.length).toBeGreaterThan(20)
  expect(violations(files)).toEqual([])
})
