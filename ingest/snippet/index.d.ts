import type { Catchwater } from "./types";

export type { Catchwater, Report } from "./types";

/** Begin to tell of errors to `endpoint`: `https://errors.example.com/e/KEY`. Call it first; once is enough. Where there
 * is no window (a page that is rendered on a server) it does nothing. */
export function init(endpoint: string, options?: Catchwater): Catchwater;

/** Tell of an error by hand. */
export function report(error: unknown, extra?: { [name: string]: unknown }): void;
