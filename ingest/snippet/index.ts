/* For bundlers: `import { init } from "catchwater"`. */
import { start } from "./catchwater";
import type { Catchwater } from "./types";

export type { Catchwater, Report } from "./types";

/** Begin to tell of errors to `endpoint`: `https://errors.example.com/e/KEY`. Call it first; once is enough. Where there
 * is no window (a page that is rendered on a server) it does nothing. */
export function init(endpoint: string, options?: Catchwater): Catchwater {
  if (typeof window == "undefined") return options || {};
  var page = window;
  try {
    var config: any = (page.catchwater = page.catchwater || {});
    for (var name in options) config[name] = (options as any)[name];
    start(endpoint, {});
  } catch (_) {} // a bundle is strict: a page that has frozen `Error`, or `catchwater`, would make it throw
  return page.catchwater || {};
}

/** Tell of an error by hand. */
export function report(error: unknown, extra?: { [name: string]: unknown }): void {
  var config = typeof window == "undefined" ? {} : window.catchwater;
  if (config && config.report) config.report(error, extra);
}
