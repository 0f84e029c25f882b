import type { Clock } from '../../bindings/ports.js'

export interface PooledTransportOptions {
  /** Most connections to one origin. Default 64. */
  readonly connections?: number | undefined
  /** Most unused HTTP/1.1 connections to one origin that are kept open; those beyond are closed within a second or two. Default 50. */
  readonly kept?: number | undefined
  /** Until a connection stands: name, TCP, TLS. ms, default 10,000. */
  readonly connectMs?: number | undefined
  /** How long an unused connection is kept when the server names no time, ms. Default 30,000. */
  readonly keepAliveMs?: number | undefined
  /** Longest silence of a connection that has a request, ms: a net below the time-outs of a call. Default 600,000. */
  readonly silenceMs?: number | undefined
  /** HTTP/2 over TLS where it is offered. Default false: see node/README.md for what either costs. */
  readonly http2?: boolean | undefined
  /** HTTP/2 without TLS, to hosts that are known to speak it. Default false. */
  readonly cleartextHttp2?: boolean | undefined
  /** Certificates to trust besides those of Node, PEM: hosts of one's own. */
  readonly ca?: string | undefined
  /** Default: the platform's. Of HTTP/2 only: undici has a clock of its own. */
  readonly clock?: Clock | undefined
  /** Where proxies are looked up: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}
