/** The exercises that are shipped: a text for the model, tests that it never sees, a solution, and wrong solutions. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AetherflowError } from '../../bindings/errors.js'
import { openBox, type Box } from '../check/box.js'
import { runTests, type TestOutcome } from '../check/test-run.js'

export interface Exercise {
  /** Of its file, without the ending. */
  readonly id: string
  readonly title: string
  /** What is to be written. */
  readonly file: string
  readonly language: 'javascript' | 'python'
  readonly text: string
  readonly tests: string
  readonly solution: string
  readonly mutants: readonly { readonly words: string; readonly code: string }[]
}

const folder = new URL('../../../examples/tasks/', import.meta.url)

/** All that are shipped, or of one language. */
export async function readExercises(language?: Exercise['language']): Promise<Exercise[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md').sort()
  const all = await Promise.all(
    names.map(async (name) =>
      parseExercise(name.slice(0, -3), await readFile(fileURLToPath(new URL(name, folder)), 'utf8')),
    ),
  )
  return language === undefined ? all : all.filter((one) => one.language === language)
}

/** Fails: host.usage for a text that is no exercise. */
export function parseExercise(id: string, text: string): Exercise {
  const [head = '', ...sections] = text.split(/^## /m)
  const [, title = '', file = '', task = ''] = /^# (.+)\n+file: (\S+)\n+([^]+)$/.exec(head) ?? []
  const codes = sections.map((section) => {
    const [, words = '', code = ''] = /^(.+)\n+```\w+\n([^]*?)^```/m.exec(section) ?? []
    return { words: words.trim(), code }
  })
  const only = (words: string): string => codes.find((one) => one.words === words)?.code ?? ''
  const mutants = codes.flatMap(({ words, code }) =>
    words.startsWith('Mutant: ') ? [{ words: words.slice(8), code }] : [],
  )
  const language = file.endsWith('.py') ? 'python' : 'javascript'
  const exercise = {
    id,
    title,
    file,
    language,
    text: task.trim(),
    tests: only('Tests'),
    solution: only('Solution'),
  } as const
  if (Object.values(exercise).includes('') || mutants.length === 0)
    throw new AetherflowError(
      'host.usage',
      id,
      'not an exercise: it needs a title, file:, text, Tests, Solution and a Mutant',
    )
  return { ...exercise, mutants }
}

const testFile = ({ language }: Exercise): string => (language === 'python' ? 'test_answer.py' : 'answer.test.mjs')

/** A model's answer as the file: without the fence that many put around it. */
export function codeOf(answer: string): string {
  const [, fenced] = /^\s*```[\w+-]*\n([^]*?)\n?```\s*$/.exec(answer) ?? []
  return `${(fenced ?? answer).replace(/\n+$/, '')}\n`
}

/** Runs the hidden tests on an answer. Fails: as Box.run. */
export const judge = (
  box: Box,
  exercise: Exercise,
  answer: string,
  repeats: number,
  signal?: AbortSignal,
): Promise<TestOutcome> =>
  runTests(box, {
    files: [
      { path: exercise.file, text: answer },
      { path: testFile(exercise), text: exercise.tests },
    ],
    tests: [testFile(exercise)],
    repeats,
    limits: { timeMs: 20_000 },
    signal,
  })

/** The plan that asks for all of them, a step each. */
export function exercisePlan(exercises: readonly Exercise[]): string {
  const steps = exercises.map(({ id, file, text, language }) => ({
    ...{ id, type: 'code_generation', complexity: 0.5, estimated_tokens: 500, output: 'code' },
    description: `${text}\n\nAnswer with the whole text of ${file} and nothing else: tests that you do not see import it.`,
    context: { language },
  }))
  return JSON.stringify({ task_id: 'quality', description: 'Exercises with hidden tests', steps })
}

export interface SelfCheck {
  readonly exercise: string
  /** The solution passes, and every wrong one fails. */
  readonly good: boolean
  /** What is not as it should be; empty: nothing. */
  readonly why: readonly string[]
}

/** Solutions must pass and mutants must fail: else a figure of quality says nothing. */
export async function selfCheck(exercises: readonly Exercise[], box?: Box): Promise<SelfCheck[]> {
  const opened = box ?? (await openBox())
  const checks: SelfCheck[] = []
  for (const exercise of exercises) {
    const why: string[] = []
    const solved = await judge(opened, exercise, exercise.solution, 1)
    if (!solved.pass) why.push(`the solution fails: ${solved.why}\n${solved.output}`)
    for (const { words, code } of exercise.mutants)
      if ((await judge(opened, exercise, code, 1)).pass) why.push(`a wrong solution passes: ${words}`)
    checks.push({ exercise: exercise.id, good: why.length === 0, why })
  }
  return checks
}
