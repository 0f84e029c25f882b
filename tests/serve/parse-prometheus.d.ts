declare module 'parse-prometheus-text-format' {
  interface Metric {
    readonly name: string
    readonly help: string
    readonly type: string
    readonly metrics: readonly {
      readonly value?: string
      readonly count?: string
      readonly sum?: string
      readonly buckets?: Readonly<Record<string, string>>
      readonly labels?: Readonly<Record<string, string>>
    }[]
  }
  export default function parse(text: string): Metric[]
}
