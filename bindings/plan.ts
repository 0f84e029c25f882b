/**
 * A plan as a program writes it: the types of core/plan/plan.schema.json, which describes every member. A test compares the two.
 * Texts of JSON and objects of other origin are taken too: the reader checks what comes, whatever its type.
 */

/** Kinds of steps that routes know; any other is routed by the default rule, with a warning. */
export type StepType =
  'analysis' | 'refactoring' | 'code_generation' | 'prototyping' | 'brainstorming' | 'documentation' | 'testing'

/** What `when` compares: the answer of a dependency, a member of it (`field`: names with dots), its state, or what its audit said. */
export type StepCondition = { readonly step: string } & (
  | { readonly field?: string | undefined; readonly is: unknown }
  | { readonly field?: string | undefined; readonly not: unknown }
  | { readonly field?: string | undefined; readonly in: readonly unknown[] }
  | { readonly field?: string | undefined; readonly above: number }
  | { readonly field?: string | undefined; readonly below: number }
  | { readonly state: 'done' | 'failed' | 'skipped' | 'cancelled' }
  | { readonly verdict: 'passed' | 'issues' | 'undone' }
)

/** One of `items`, `glob`, `step` says what a step is carried out for. */
export interface StepItems {
  readonly items?: readonly unknown[] | undefined
  /** Patterns, files and folders below the folder of the plan, as in `context.files`. */
  readonly glob?: string | readonly string[] | undefined
  /** The step whose answer is a JSON array, or has one at `field`. */
  readonly step?: string | undefined
  readonly field?: string | undefined
  /** 1 to 10,000; default 1000. More items end the step. */
  readonly max_items?: number | undefined
  /** How many an explanation expects; default: `max_items`. */
  readonly expected_items?: number | undefined
  /** An item that fails does not fail the step. */
  readonly allow_failures?: boolean | undefined
  /** Tokens of all outputs together, as dependents get them; default 16,000. */
  readonly gather_tokens?: number | undefined
}

/** Several answers to the description; see web/standard/patterns. */
export interface StepPattern {
  readonly kind: 'debate' | 'consensus' | 'vote' | 'best-of' | 'revise'
  readonly roles?: readonly (string | object)[] | undefined
  readonly rounds?: number | undefined
  readonly samples?: number | undefined
  readonly models?: readonly string[] | undefined
  readonly judge?: string | undefined
  readonly later_tokens?: number | undefined
}

export interface Step {
  /** 1 to 128 bytes of UTF-8 without control characters; unique in the plan. */
  readonly id: string
  readonly type: StepType | (string & {})
  /** What to do; `{{steps.ID.output}}` stands for the output of another step. */
  readonly description: string
  /** 0 to 1; default 0.5. */
  readonly complexity?: number | undefined
  /** Tokens expected in the answer; 0, the default: unknown. */
  readonly estimated_tokens?: number | undefined
  /** Ids of the steps whose outputs it gets. */
  readonly dependencies?: readonly string[] | undefined
  /**
   * `files`: paths below the folder of the plan, whose contents go into the prompt. `documents`: sections that answer `query`
   * (default: the description), in `paths` of the index alone (default: anywhere), of at most `tokens` together (default 2000).
   */
  readonly context?:
    | {
        readonly files?: readonly string[] | undefined
        readonly documents?:
          | {
              readonly query?: string | undefined
              readonly paths?: readonly string[] | undefined
              readonly tokens?: number | undefined
            }
          | undefined
      }
    | undefined
  readonly validation_criteria?: readonly string[] | undefined
  /** What the answer must be: a word, or a JSON Schema that it must obey. */
  readonly output?: 'code' | 'json' | 'text' | Readonly<Record<string, unknown>> | undefined
  /** A provider's id, or provider/model; wins over every rule. */
  readonly provider?: string | undefined
  /** A model of that provider; without one, of the first configured provider that has it. */
  readonly model?: string | undefined
  /** More for the system text of the step's own calls. */
  readonly system?: string | undefined
  /** 0 to 2; default: the provider's. */
  readonly temperature?: number | undefined
  /** Most tokens of the answer, thinking apart. */
  readonly max_tokens?: number | undefined
  /** Name of the output's file, where outputs are kept in files; no folders. */
  readonly output_file?: string | undefined
  /** −1000 to 1000; among ready steps the higher goes first. */
  readonly priority?: number | undefined
  readonly on_interrupt?: 'restart' | 'continue' | 'fail' | undefined
  readonly draft?: 'off' | 'auto' | 'always' | undefined
  readonly cache?: 'off' | 'exact' | 'semantic' | undefined
  /** It is carried out once for each item, which `{{item}}` and `{{item.FIELD}}` stand for; a list stands for `{ items }`. */
  readonly for_each?: readonly unknown[] | StepItems | undefined
  /** All have to hold, or it is skipped, and its dependents with it unless it is `optional`. */
  readonly when?: StepCondition | readonly StepCondition[] | undefined
  /** It becomes the steps of a pattern, and its output is their answer. */
  readonly pattern?: StepPattern | undefined
  /** Its failure does not fail the steps that depend on it. */
  readonly optional?: boolean | undefined
}

export interface Plan {
  readonly task_id?: string | undefined
  readonly description?: string | undefined
  /** Whatever the planner wants to keep with the plan. Read of it: `until`, a list of `UntilRule`. */
  readonly metadata?: object | undefined
  readonly steps: readonly Step[]
}
