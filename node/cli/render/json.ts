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

  begin({ simulated, folder }: RunHeader): void {
    this.#simulated = simulated
    if (folder !== undefined) this.line({ type: 'folder', path: folder })
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

/** JSON text without raw control, bidi and other invisible characters (joiners stay): the same value, safe to show. */
export function asciiControls(json: string): string {
  return json.replace(/(?![\u200c\u200d])[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    // Some take two units, and each is written for itself.
    const units = character.split('')
    return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  })
}
