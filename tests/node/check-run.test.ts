/** Answers that are checked in a run: what a failure leads to, what dependents and reports see, and that a journal checks nothing twice. */
import { describe, expect, test } from '@jest/globals'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planOf, played, playing, step, verdicts } from './checked-play.js'
import type { AnswerChecker } from '../../bindings/checker.js'
import type { RunEvent } from '../../bindings/events.js'
import type { CallTicket } from '../../bindings/performer.js'
import { checkPlan, explainPlan, runPlan, SemanticCache, type RunPlanOptions } from '../../node/index.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'

describe('code is parsed in any run', () => {
  const plan = planOf(step('a', { output_file: 'a.js' }), step('b', { dependencies: ['a'] }))

  test('what parses is delivered after one call', async () => {
    const { result, checked } = await played(plan, () => 'export const a = 1')
    expect(result.outcome).toBe('ok')
    expect(verdicts(checked)).toEqual([['main', true]])
    expect(result.report.checks).toMatchObject({ functional: 0, firstTryShare: null, unchecked: 2, passed: 1 })
    expect(result.report.steps[0]?.check).toMatchObject({ firstTry: null, quality: { score: 1, partial: true } })
  })

  test('what does not is repaired with the place, and the dependent gets the repair', async () => {
    const answers: Record<string, string> = { main: 'const a = (', repair: 'const a = 2' }
    const { result, checked, tickets } = await played(plan, ({ purpose, step: { id } }) =>
      id === 'b' ? 'text' : (answers[purpose] ?? ''),
    )
    expect(verdicts(checked)).toEqual([
      ['main', false],
      ['repair', true],
    ])
    expect(tickets[1]?.issues).toContain('a.js:1:')
    expect(tickets[2]?.dependencies).toEqual([[0, 'const a = 2']])
    expect(result.report.steps[0]).toMatchObject({ repaired: true, state: 'done' })
    expect(result.report.steps[0]?.calls[0]?.check).toBe('check_failed')
  })

  test('what fails twice fails its step and its dependents, and says where', async () => {
    const { result, events } = await played(plan, () => 'const a = (')
    expect(result.outcome).toBe('steps_failed')
    const failed = events.find((event) => event.type === 'failed')
    expect(failed).toMatchObject({ failure: 'check_failed', message: expect.stringContaining('a.js:1:') as unknown })
    expect(result.report.steps.map(({ state }) => state)).toEqual(['failed', 'skipped'])
  })

  test('nothing is checked where nothing is asked for, or checks are off', async () => {
    const plain = planOf(
      step('a'),
      step('c', { output_file: 'c.rs' }),
      step('d', { output_file: 'd.js', check: 'off' }),
    )
    const { result, checked } = await played(plain, () => 'const a = (')
    expect([result.outcome, checked]).toEqual(['ok', []])
    expect(result.report.checks).toBeUndefined()
    const off = await played(plan, () => 'const a = (', { checks: false })
    expect([off.result.outcome, off.checked]).toEqual(['ok', []])
  })

  test('a file that leaves code out is no whole file', async () => {
    const { result } = await played(
      planOf(step('a', { target: 'a.js' })),
      () => 'f()\n// ... rest of the code unchanged\n',
    )
    expect(result.report.steps[0]).toMatchObject({
      state: 'failed',
      check: { parts: [{ kind: 'syntax' }, { kind: 'shape', outcome: 'fail' }] },
    })
  })
})

describe('a plan whose checks nobody can follow is refused before its first call', () => {
  test.each([
    [{ target: '../x' }, '/steps/0/target'],
    [{ target: '.git/config' }, '/steps/0/target'],
    [{ target: 3 }, '/steps/0/target'],
    [{ edit: 'patch', target: 'a' }, '/steps/0/edit'],
    [{ edit: 'blocks' }, '/steps/0/edit'],
    [{ check: 'lint' }, '/steps/0/check'],
    [{ check: { test: 1 } }, '/steps/0/check/test'],
    [{ check: { tests: { files: [] } }, target: 'a.js' }, '/steps/0/check/tests/files'],
    [{ check: { tests: { files: ['t.js'] } } }, '/steps/0/check/tests'],
    [{ check: { command: 'npm test' } }, '/steps/0/check/command'],
  ])('%j', async (more, where) => {
    const performer = playing(() => 'x')
    await expect(checkPlan(planOf(step('a', more)))).rejects.toMatchObject({ code: 'check.invalid', where })
    await expect(runPlan(planOf(step('a', more)), { config: {}, performer })).rejects.toMatchObject({
      code: 'check.invalid',
      where,
    })
    expect(performer.tickets).toEqual([])
  })
  test('a program that is not on the list', async () => {
    const plan = planOf(step('a', { check: { command: ['curl', 'x'] } }))
    const running = runPlan(plan, { config: {}, performer: playing(() => 'x'), checks: { allow: true } })
    await expect(running).rejects.toMatchObject({ code: 'check.not_allowed', where: '/steps/0/check/command/0' })
  })
})

describe('tests in the box', () => {
  const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'aetherflow-check-run-'))
    await mkdir(join(folder, 'test'))
    const test = (name: string, code: string): Promise<void> =>
      writeFile(
        join(folder, `test/${name}.test.mjs`),
        `import test from 'node:test'; import assert from 'node:assert'; ${code}`,
      )
    await test('add', `import { add } from '../src/add.mjs'; test('adds', () => assert.equal(add(1, 2), 3))`)
    await test('sum', `import { sum } from '../src/sum.mjs'; test('sums', () => assert.equal(sum([1, 2, 3]), 6))`)
    try {
      await work(folder)
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const tested = (name: string) => ({
    target: `src/${name}.mjs`,
    check: { tests: { files: [`test/${name}.test.mjs`] } },
  })
  const right = {
    add: 'export const add = (a, b) => a + b',
    sum: `import { add } from './add.mjs'\nexport const sum = (list) => list.reduce(add)`,
  }
  const plan = planOf(step('add', tested('add')), step('sum', { ...tested('sum'), dependencies: ['add'] }))
  const allowed = { allow: true, repeats: 1 }

  test('an answer is tested with the answers that it stands on; what fails is repaired with the last lines', async () => {
    await inFolder(async (folder) => {
      const answer = ({ step: { id }, purpose }: CallTicket): string =>
        id === 'add' && purpose === 'main' ? 'export const add = (a, b) => a * b' : right[id as 'add' | 'sum']
      const { result, checked, tickets } = await played(plan, answer, { folder, checks: allowed })
      expect(result.outcome).toBe('ok')
      expect(verdicts(checked)).toEqual([
        ['main', false],
        ['repair', true],
        ['main', true],
      ])
      expect(tickets[1]?.issues).toMatch(/tests: exit code 1 \(0 of 1 passed\)[\s\S]*adds/)
      expect(result.report.checks).toMatchObject({ functional: 2, firstTry: 1, firstTryShare: 0.5, quality: 1 })
      expect(result.report.checks?.boxes).toHaveLength(1)
      expect(result.report.steps[1]?.check).toMatchObject({
        firstTry: true,
        parts: [{ kind: 'syntax' }, { kind: 'tests', passed: 1, total: 1 }],
      })
    })
  })

  test('without permission nothing runs, and the report has no first try', async () => {
    await inFolder(async (folder) => {
      const { result, checked } = await played(plan, () => 'export const add = 1', { folder })
      expect(result.outcome).toBe('ok')
      expect(checked[0]).toMatchObject({
        pass: true,
        functional: false,
        parts: [{ kind: 'syntax' }, { kind: 'tests', outcome: 'skipped' }],
      })
      expect(result.report.checks).toMatchObject({ functional: 0, firstTryShare: null, unchecked: 2 })
    })
  })

  test('an audit sees what the checks showed', async () => {
    await inFolder(async (folder) => {
      const plan = planOf(step('add', { ...tested('add'), check: { ...tested('add').check, rubric: ['it is short'] } }))
      const answer = ({ purpose }: CallTicket): string =>
        purpose === 'audit' ? '{"verdict":"pass","issues":[]}' : right.add
      const { result, tickets } = await played(plan, answer, { folder, checks: allowed, mode: 'double-check' })
      expect(result.report.steps[0]?.audit).toBe('passed')
      expect(tickets[1]?.purpose).toBe('audit')
      expect(tickets[1]?.issues).toMatch(/src\/add\.mjs parses[\s\S]*it is short[\s\S]*tests passed \(1 of 1 passed\)/)
    })
  })

  test('a rubric is put to a judge of another family in a mode that audits nothing else; a no is repaired', async () => {
    const plan = planOf(step('a', { target: 'a.js', check: { rubric: ['it is short', 'it is kind'] } }), step('b'))
    const { result, tickets } = await played(plan, ({ purpose }) =>
      purpose === 'audit' ? '{"verdict":"issues","issues":["it is not kind"]}' : 'const a = 1',
    )
    const calls = tickets.filter(({ step }) => step.id === 'a')
    expect(calls.map(({ purpose }) => purpose)).toEqual(['main', 'audit', 'repair'])
    expect(calls[1]?.issues).toMatch(/it is short\n- it is kind/)
    expect(calls[2]?.issues).toContain('it is not kind')
    expect(calls[1]?.provider).not.toBe(calls[0]?.provider)
    expect(result.report.steps.map(({ audit }) => audit)).toEqual(['issues', undefined])
    const explained = await explainPlan(plan, { config: {} })
    expect(explained.report.steps.map(({ calls }) => calls.map(({ purpose }) => purpose))).toEqual([
      ['main', 'audit'],
      ['main'],
    ])
    const unchecked = await played(plan, () => 'const a = 1', { checks: false })
    expect(unchecked.tickets.map(({ purpose }) => purpose)).toEqual(['main', 'main'])
  })

  test('an answer that is one of its own tests is refused; tests that pass without it are said to', async () => {
    await inFolder(async (folder) => {
      const own = planOf(step('a', { target: 'test/add.test.mjs', check: { tests: { files: ['test'] } } }))
      const { events } = await played(own, () => 'export const a = 1', { folder, checks: allowed })
      expect(events.find(({ type }) => type === 'failed')).toMatchObject({
        message: expect.stringContaining('own tests') as unknown,
      })
      await writeFile(join(folder, 'test/add.test.mjs'), `import test from 'node:test'; test('true', () => {})`)
      const { checked } = await played(planOf(step('add', tested('add'))), () => right.add, { folder, checks: allowed })
      expect(checked[0]).toMatchObject({ pass: true, parts: [{ kind: 'syntax' }, { kind: 'tests', weak: true }] })
    })
  })

  test('a simulated provider that is wrong at a stated rate: first tries are right as often, repairs pass, the rest fails with the last lines', async () => {
    await inFolder(async (folder) => {
      const steps = Array.from({ length: 24 }, (_, i) =>
        step(`s${i}`, { ...tested('add'), target: 'src/add.mjs', output: 'code' }),
      )
      const after = step('after', { dependencies: ['s0', 's1', 's2', 's3', 's4', 's5'], type: 'analysis' })
      const wrong = 'export const add = (a, b) => a - b'
      const wrongShare = 0.4
      const known = { answers: [{ task: 'write s', right: right.add, wrong }], wrongShare, wrongRepairShare: 0.3 }
      const events: RunEvent[] = []
      const checker = cheapTests(right.add)
      const simulate = { ...simulatorProfiles.instant, known }
      const result = await runPlan(planOf(...steps, after), {
        config: {},
        simulate,
        seed: 5,
        folder,
        checks: checker,
        onEvent: (event) => events.push(event),
      })
      const first = events.flatMap((event) =>
        event.type === 'checked' && event.purpose === 'main' ? [event.pass] : [],
      )
      expect(first).toHaveLength(24)
      const share = first.filter(Boolean).length / 24
      expect(result.report.checks).toMatchObject({
        functional: 24,
        firstTry: first.filter(Boolean).length,
        firstTryShare: share,
      })
      // Of 24 draws of 0.6: within 2.6 standard errors.
      expect(Math.abs(share - (1 - wrongShare))).toBeLessThan(2.6 * Math.sqrt((0.6 * 0.4) / 24))
      const repairs = events.flatMap((event) =>
        event.type === 'checked' && event.purpose === 'repair' ? [event.pass] : [],
      )
      expect(repairs).toHaveLength(24 - first.filter(Boolean).length)
      expect(repairs).toContain(true)
      expect(repairs).toContain(false)
      expect(result.report.counts.failed).toBe(repairs.filter((pass) => !pass).length)
      const failed = events.filter((event) => event.type === 'failed')
      for (const event of failed)
        expect(event).toMatchObject({
          failure: 'check_failed',
          message: expect.stringContaining('expected 3') as unknown,
        })
    })
  })
})

/** A checker of the caller's own: passes one text. */
function cheapTests(right: string): AnswerChecker {
  return {
    accept: () => {},
    check: ({ text }) => {
      const pass = text.trim() === right
      const parts = [{ kind: 'tests', outcome: pass ? 'pass' : 'fail', passed: Number(pass), total: 1 } as const]
      return Promise.resolve({ pass, parts, functional: true, issues: pass ? '' : 'tests: -1 came, expected 3' })
    },
  }
}

describe('the cache', () => {
  test('takes what passed; what passed another check, or none, does not stand for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aetherflow-check-cache-'))
    const cache = await SemanticCache.open({})
    try {
      const test = (value: number): Promise<void> =>
        writeFile(
          join(folder, 'a.test.mjs'),
          `import test from 'node:test'; import { a } from './a.mjs'; import assert from 'node:assert'
          test('a', () => assert.equal(a, ${value}))`,
        )
      await test(1)
      const plan = planOf(step('a', { target: 'a.mjs', check: { tests: { files: ['a.test.mjs'] } } }))
      const allowed = { allow: true, repeats: 1 }
      const calls = async (answer: string, checks: RunPlanOptions['checks']): Promise<number> => {
        const { tickets, result } = await played(plan, () => answer, { folder, cache, checks })
        expect(result.outcome).toBe('ok')
        return tickets.length
      }
      // Kept by a run that may run nothing: no answer to one that tests.
      expect(await calls('export const a = 7', {})).toBe(1)
      expect(await calls('export const a = 1', allowed)).toBe(1)
      expect(await calls('never asked', allowed)).toBe(0)
      // The tests have changed: so has what an answer must pass.
      await test(2)
      expect(await calls('export const a = 2', allowed)).toBe(1)
      expect(await calls('never asked', {})).toBe(0)
    } finally {
      await cache.close()
      await rm(folder, { recursive: true })
    }
  })
})

describe('the journal', () => {
  const plan = planOf(step('a', { output_file: 'a.js' }), step('b', { output_file: 'b.js', dependencies: ['a'] }))

  test('has every verdict: a run that goes on tells them again, checks nothing twice and ends alike', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aetherflow-check-journal-'))
    try {
      const answers: Record<string, string> = { main: 'const a = (', repair: 'const a = 2' }
      let checks = 0
      const counting = (fail: boolean): AnswerChecker => ({
        accept: () => {},
        check: ({ text }) => {
          ++checks
          if (fail && checks === 3) return new Promise(() => {})
          const pass = !text.endsWith('(')
          return Promise.resolve({
            pass,
            parts: [{ kind: 'syntax', outcome: pass ? 'pass' : 'fail' }],
            functional: false,
            issues: pass ? 'parses' : 'broken',
          })
        },
      })
      const stop = new AbortController()
      const answer = ({ purpose, step: { id } }: CallTicket): string => (id === 'b' ? 'b()' : (answers[purpose] ?? ''))
      const first = played(plan, answer, {
        journal: folder,
        checks: counting(true),
        signal: stop.signal,
        onEvent: (event) => void (event.type === 'answer' && event.step === 'b' && setImmediate(() => stop.abort())),
      })
      expect((await first).result.outcome).toBe('cancelled')
      expect(checks).toBe(3)
      // As if the process had been killed while the third check ran: what came after is cut off.
      const path = join(folder, 'journal.jsonl')
      const lines = (await readFile(path, 'utf8')).split('\n')
      const cut = lines.findIndex((line) => line.includes('"e":"cancelRun"'))
      await writeFile(path, `${lines.slice(0, cut).join('\n')}\n`)
      const events: RunEvent[] = []
      const second = await played(plan, answer, {
        journal: folder,
        resume: true,
        checks: counting(false),
        onEvent: (event) => events.push(event),
      })
      expect(second.result.outcome).toBe('ok')
      expect(checks).toBe(4)
      expect(second.tickets).toEqual([])
      const told = events.filter((event) => event.type === 'checked')
      expect(told.map((event) => [event.step, event.purpose, event.pass])).toEqual([
        ['a', 'main', false],
        ['a', 'repair', true],
        ['b', 'main', true],
      ])
      expect(second.result.report.steps.map(({ check }) => [check?.pass, check?.answers])).toEqual([
        [true, 2],
        [true, 1],
      ])
      expect(second.result.outputs.get('a')).toBe('const a = 2')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
