/** `--json`: every event as one line. The last line, result or error, is the command's. See node/cli/README.md. */
import type { RunEvent } from '../../../bindings/events.js'
import type { Output } from '../host.js'
import type { Renderer, RunHeader } from './renderer.js'

export class JsonRenderer implements Renderer {
  readonly #output: Output
  #simulated: string | undefined

  constructor(output: Output) {
    this.#output = output
  }

  begin({ simulated }: RunHeader): void {
    this.#simulated = simulated
  }

  event(event: RunEvent): void {
    this.line(event)
  }

  /** Any record; JSON escapes what a terminal could obey, except C1 characters: those too. */
  line(record: object): void {
    const labelled = this.#simulated === undefined ? record : { ...record, simulated: this.#simulated }
    this.#output.write(`${asciiControls(JSON.stringify(labelled))}\n`)
  }

  end(): void {}
}

/** JSON text without raw control and bidi characters: the same value, safe to show. */
export function asciiControls(json: string): string {
  return json.replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
