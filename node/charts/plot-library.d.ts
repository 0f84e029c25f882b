/** What is used of the drawing library. Its own types are those of a page, which this part of the project is compiled without. */
declare module '@observablehq/plot' {
  export interface Mark {
    readonly data: unknown
  }
  /** A constant, the name of a member, or what a datum comes to. */
  type Channel<Datum> = string | number | ((datum: Datum, index: number) => string | number)
  /** By name: places, colours, sizes. */
  export type Options<Datum> = Readonly<Record<string, Channel<Datum> | readonly number[]>>
  type Drawn = <Datum>(data: readonly Datum[], options: Options<Datum>) => Mark

  export const barX: Drawn
  export const dot: Drawn
  export const link: Drawn
  export const ruleX: Drawn
  export const text: Drawn
  export const tickX: Drawn
  export function gridX(options: Options<never>): Mark
  export function gridY(options: Options<never>): Mark
  /** `document`: makes the elements; the result is one of them. */
  export function plot(options: Readonly<Record<string, unknown>> & { readonly document: object }): unknown
}
