/** What a page may set, and call, on `window.catchwater`. Everything is optional. */
export interface Catchwater {
  /** Which build of the site this is: source maps are found by it. */
  release?: string;
  environment?: string;
  /** Who is affected: an id of yours, not a name or an address. */
  user?: { id?: string; [name: string]: unknown };
  /** Counted by value, for each issue. */
  tags?: { [name: string]: string | number | boolean };
  /** Names the issue instead of Catchwater; `{{ default }}` stands for what it would have been. */
  fingerprint?: string[];
  level?: "fatal" | "error" | "warning" | "info" | "debug";
  /** What happened before, oldest first: extras.ts fills it. */
  breadcrumbs?: { ts: number; kind: string; message: string; data?: unknown }[];

  /** The share of sessions that are told of, 0 to 1. What the others leave out is counted. */
  sample?: number;
  /** Errors not to tell of: texts or patterns that `Type: message` holds. */
  ignore?: string | RegExp | (string | RegExp)[];
  /** Scripts to tell of alone: texts or patterns that the stack holds. An error without a place is told. */
  allow?: string | RegExp | (string | RegExp)[];
  /** Sees each report before it goes, may change it, and answers it, or a copy of it, or `true`; or nothing to drop it. */
  before?: (report: Report) => Report | boolean | null | undefined | void;
  /** Different errors told per page (50). */
  cap?: number;
  /** Tell of images, scripts and styles that do not load. */
  resources?: boolean;
  /** Tell of what is given to `console.error`. Read when the script runs. */
  console?: boolean;

  /** Tell of an error by hand. Whatever is thrown afterwards as the same object is not told again. */
  report?: (error: unknown, extra?: { [name: string]: unknown }) => void;
  /** The second file's: adds to a report what surrounds the error. */
  complete?: (report: Report) => void;
  /** Stop: nothing is heard, sent or kept from now on, and what was kept, by earlier pages too, is gone. */
  off?: () => void;
  /** What a second copy calls instead of starting: listen again, if need be. */
  listen?: () => void;
  /** Its name and version, once it runs. */
  sdk?: string;
  /** What the inline part heard before the script came; `n` is how much there was. */
  q?: unknown[] & { n?: number };
}

/** One report, as `POST /e/{key}` takes it. */
export interface Report {
  id?: string;
  ts?: number;
  first_ts?: number;
  n?: number;
  type?: string;
  message: string;
  stack?: string;
  source?: string;
  line?: number;
  column?: number;
  mechanism?: string;
  page?: string;
  referrer?: string;
  [name: string]: unknown;
}

declare global {
  interface Window {
    catchwater?: Catchwater;
  }
}
