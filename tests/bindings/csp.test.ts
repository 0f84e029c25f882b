import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { root } from '../checks/sources.js'

const folder = `${root}dist/core/`

/** Runs `code` in a Node that refuses to make code out of strings, as a page without unsafe-eval does. */
function strictly(code: string) {
  const args = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', code]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder })
  return { status, stdout: stdout.trim(), stderr }
}

describe('strict content security policy', () => {
  test('the stand-in for a page refuses what a page refuses', () => {
    expect(strictly(`try { new Function('return 1')() } catch (e) { console.log(e.name) }`).stdout).toBe('EvalError')
    expect(strictly(`try { (0, eval)('1') } catch (e) { console.log(e.name) }`).stdout).toBe('EvalError')
  })

  test('the module loads and answers a call', () => {
    const code = `
      import { readFileSync } from 'node:fs'
      const { default: load } = await import(${JSON.stringify(`file://${folder}aetherflow_core.mjs`)})
      const module = await load({ wasmBinary: readFileSync('aetherflow_core.wasm') })
      const session = module._session_open()
      const text = new TextEncoder().encode('{"steps":[}')
      const at = module._session_input(session, text.length)
      module.HEAPU8.set(text, at)
      console.log(module._session_planBytes(session, text.length, 0))
      module._session_delete(session)`
    const { status, stdout, stderr } = strictly(code)
    expect(stderr).toBe('')
    expect(status).toBe(0)
    // A negative error code: the C++ side answered.
    expect(Number(stdout)).toBeLessThan(0)
  })

  test('the glue names neither eval nor Function as constructors', () => {
    const glue = readFileSync(`${folder}aetherflow_core.mjs`, 'utf8')
    expect(glue).not.toMatch(/\beval\s*\(|\bnew\s+Function\b|[^.\w]Function\s*\(/)
  })
})
