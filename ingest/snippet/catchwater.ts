/* Catchwater in the page: tells an ingest server of the errors that happen there.
 *
 * It promises the page: it never throws, never calls preventDefault, leaves window.onerror alone (it listens
 * beside whatever is there), depends on nothing, and works without its server. It promises the counts: an
 * occurrence folded, retried, kept for the next page or sent twice keeps its id, so the server counts it once;
 * what is left out on purpose is counted by reason, and the server hears of it.
 *
 * Its syntax is ES2015's when its types are gone: every browser that has fetch can read it.
 */
import type { Catchwater, Report } from "./types";

const SDK = "catchwater/0.1.0";
const DISTINCT = 50; // different errors told per page; those beyond are counted as dropped
const TEXT = 2e3; // longest text, in characters; a stack may have STACK of them
const STACK = 2e4;
const REPORT = 5e4; // over this many characters a report goes without what the page added to it
const REQUEST = 2e4; // 3 bytes a character at most: within the 64 KiB a page may have in flight with keepalive
const WAITING = 99; // with more reports than this unanswered, repeats go on folding
const BATCH = 100; // ms that a report waits for others
const SOON = 500; // ms until repeats are told, and the first pause after a failure
const LONG = 6e4; // ms: both grow up to this
const KEPT = 50; // reports kept for the next page: all that one page may tell of
const STALE = 72e6; // ms: kept for longer, a report may have been counted and forgotten by the server's dedupe

// `filters`: what is left out is counted by its reason. Each is tried on the error as JSON, with the page's address
// behind it (see ingest/page_filters.py).
export const start = (endpoint: string, filters: { [reason: string]: RegExp }): void => {
  const config: Catchwater = (window.catchwater = window.catchwater || {});
  if (config.sdk) return config.listen!(); // a second copy would count everything twice
  config.sdk = SDK;

  // Taken before the page or an SDK wraps fetch (our requests are nobody's breadcrumbs), or calls its own thing `crypto`.
  const { fetch, crypto } = window;
  const seen: any = {}; // what was told, by content: the report of its repeats, or 0 while there are none
  let queue: string[] = []; // reports as JSON text, oldest first; each stays until it has been answered
  let distinct = 0;
  let handled: any = queue; // what the page told of by hand last; first, nothing that is thrown
  let heard: any = queue; // the event that came last
  let twin: any; // content of the event that is still to come of a worker's error which the page has told of
  let luck: any = Math.random(); // decides whether this session is told of
  let busy = 0; // at work, or off for good
  let flying = 0; // how many at the head of the queue are on their way
  let outlives = 0; // how many there the browser has, to send even when the page ends
  let plain: any; // whether the next request does without keepalive
  let pause = SOON; // after the next failure
  let patience = SOON; // until repeats are told
  let flushed = 0;
  let timer: any, flushTimer: any;

  const attempt = (work: any): any => {
    try {
      return work();
    } catch (_) {}
  };

  // Whatever goes wrong in here stays in here, and an error made in here is not reported in here.
  const safely = (work: any) =>
    (...given: any[]): void => {
      if (!busy) {
        busy++;
        attempt(() => work(...given));
        busy--;
      }
    };

  const newId = (): string => {
    const bytes: any = crypto.getRandomValues(new Uint8Array(16));
    return bytes.reduce((id: string, byte: number) => id + (256 + byte).toString(16).slice(1), "");
  };

  // JSON.stringify's second argument: cuts texts, and lists.
  const fit = (name: string, value: any): any =>
    value && value.slice ? value.slice(0, name == "stack" ? STACK : TEXT) : value;

  // --- What is told.

  const hear = safely((event: any) => {
    const thrown = event.error || event.reason;
    if (thrown === handled) return;
    heard = event;
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  });

  // Anything can be thrown. An error is told by shape, for one of another frame is no instance of Error here.
  const describe = (error: any, event: any): Report => {
    if (Object(error) !== error) error = { message: String(error) };
    let { message, stack } = error;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    // Chrome repeats the message at the head of the stack: an endless one must not push the frames out.
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return {
      toJSON: undefined, // one that the page gives to all objects or lists, as Prototype.js 1.6 does, is not for ours
      type: error.name,
      message: String(message).slice(0, TEXT),
      stack,
      // The event's place, or what Firefox and WebKit write on an error: without a stack there is no other.
      source: event.filename || error.fileName || error.sourceURL,
      line: event.lineno || error.lineNumber || error.line,
      column: event.colno || error.columnNumber || error.column,
    };
  };

  const matches = (patterns: any, text: any): any =>
    patterns && [].concat(patterns).some((one) => text.split(one).length > 1);

  const tell = (error: any, mechanism: string, event: any, extra?: any): void => {
    try {
      const now = Date.now();
      const thrown = describe(error, event);
      const content = JSON.stringify(thrown);
      // An error in a worker is an event at its Worker, and then another one here.
      if (event == error) twin = event.filename && content;
      else if (content == twin && !handled.defaultPrevented) return (twin = undefined);
      const repeat = folded(content);
      if (repeat) return;
      const place = thrown.stack || thrown.source;
      if (luck - config.sample! > 0) return drop("sample"); // either may be a text
      if (
        matches(config.ignore, thrown.type + ": " + thrown.message) ||
        (config.allow && place && !matches(config.allow, place))
      )
        return drop("ignored");
      const filter = Object.keys(filters).find((name) => filters[name].test(content + location.href));
      if (filter) return drop(filter);
      if (repeat == null && distinct >= (config.cap || DISTINCT)) return drop("cap");
      const chain: any[] = [];
      // It may come back to where it has been.
      for (let one = error; one && !chain[5] && !chain.includes(one); one = one.cause || (one.errors || 0)[0])
        chain.push(one);
      // Release, environment, user, tags... and the settings, which the server does not look at. Functions do not go.
      let report: any = Object.assign({}, config, thrown, {
        id: newId(),
        ts: now,
        first_ts: now,
        n: 1,
        mechanism,
        page: location.href,
        referrer: document.referrer,
        extra,
        cause: Object.assign(chain.slice(1).map(describe), { toJSON: 0 }),
      });
      attempt(() => config.complete!(report)); // the second file adds what it knows
      if (config.before) {
        const answer: any = config.before(report);
        if (!answer) return drop("before");
        if (answer.id) report = answer; // else it only says yes, or is a promise
      }
      if (repeat == 0) {
        seen[content] = report;
        if (now - flushed > patience * 5) patience = SOON;
        flushTimer = flushTimer || setTimeout(flush, patience);
      } else {
        put(report);
        distinct++;
        seen[content] = 0;
        later(BATCH);
      }
    } catch (_) {
      drop("failed"); // in an object that throws when it is looked at, in `before`, or in here
    }
  };

  // --- What is held back: repeats, and how many errors were left out.

  // One more of what is held back already.
  const folded = (content: string): any => {
    const held = seen[content];
    if (held) {
      held.ts = Date.now();
      held.n++;
    }
    return held;
  };

  const drop = (reason: string): void => {
    seen[reason] = seen[reason] || { id: newId(), n: 0, dropped: reason, toJSON: undefined };
    folded(reason);
  };

  const gather = (): void => {
    Object.keys(seen).forEach((content) => {
      const held = seen[content];
      seen[content] = 0;
      if (held) put(held);
    });
  };

  // A storm that goes on is told of ever more rarely, with ever larger n.
  const flush = safely(() => {
    flushTimer = 0;
    flushed = Date.now();
    if (patience < LONG) patience *= 1.25;
    if (!queue[WAITING]) gather();
    later();
  });

  const put = (report: any): void => {
    let text = attempt(() => JSON.stringify(report, fit));
    if (!(text && text.length < REPORT)) {
      report.user = report.tags = report.extra = report.breadcrumbs = undefined; // circular or huge: the error still goes
      text = JSON.stringify(report, fit);
    }
    queue.push(text);
  };

  // --- How it is sent.

  // A pause that is on is kept: new errors do not make us ask a server sooner that has asked us to wait.
  const later = (ms?: number): void => {
    timer = timer || setTimeout(send, ms);
  };

  // The first of these, as many as one request takes: at least one, however long.
  const batch = (reports: string[]): string[] =>
    reports[1] && ("" + reports).length > REQUEST ? batch(reports.slice(0, -1)) : reports;

  // One request at a time, so that ours never add up to more than the browser allows in flight. A string without
  // headers is a "simple" request: no preflight.
  const send = safely(() => {
    timer = 0;
    if (flying) return;
    // What earlier pages have kept goes first. Reading it takes some milliseconds: not while a page is built up.
    queue = stored(queue).concat(queue);
    const reports = batch(queue);
    if (!reports[0]) return;
    fetch(endpoint, { method: "POST", body: "[" + reports + "]", keepalive: !plain }).then(answered, answered);
    flying = reports.length;
    outlives = plain ? 0 : flying;
  });

  // With the answer, or an error; a page's own fetch may end without either.
  const answered = safely((answer: any = {}) => {
    const status = answer.status;
    plain = !status && !plain; // too long for keepalive, or the page itself uses the quota up
    if (!(status || timer)) outlives = 0; // with a timer on, the page may just be leaving, and the browser goes on sending
    if (!status || /^5|408|429/.test(status)) {
      if (pause < LONG) pause *= 2;
      const wait = status && answer.headers.get("Retry-After"); // s
      // A timer of more ms than 2^31 would fire at once. Spread: after an outage all pages would come at once.
      later((wait * 1e3) % 2e9 || pause * Math.random());
    } else {
      outlives = 0;
      pause = SOON;
      keep(queue.splice(0, flying), []);
      later();
    }
    flying = 0;
  });

  // --- What outlives the page.

  // The page may end here: what no request carries to its end goes by beacon. It stays in the queue and is kept
  // too, for a beacon has no answer; it may be sent again, and the server knows its id.
  const leave = safely(() => {
    gather();
    later(SOON);
    const rest = queue.slice(outlives);
    keep(queue, queue);
    outlives = queue.length; // pagehide and visibilitychange come in pairs
    while (rest[0]) navigator.sendBeacon(endpoint, "[" + rest.splice(0, batch(rest).length) + "]");
  });

  // All but those that are known.
  const stored = (known: string[]): string[] =>
    attempt(() =>
      JSON.parse(localStorage[endpoint]).filter(
        (text: string) => !known.includes(text) && JSON.parse(text).ts > Date.now() - STALE
      )
    ) || [];

  // In localStorage stands what was not answered when a page ended, for the next one to send: here without `done`.
  const keep = (done: string[], more: string[]): void =>
    attempt(() => {
      if (more[0] || localStorage[endpoint])
        // each by itself, for the page's toJSON of lists
        localStorage[endpoint] = "[" + stored(done).concat(more).slice(-KEPT).map(JSON.stringify as any) + "]";
    });

  // --- Setting up.

  // A module has no current script, but the key in its address.
  const tag = document.currentScript || Array.from(document.scripts).find(({ src }) => src.includes(endpoint.slice(-32)));
  const data = ((tag || 0) as any).dataset;
  for (const name in data) (config as any)[name] = (config as any)[name] || data[name];
  if ((Error as any).stackTraceLimit < 50) (Error as any).stackTraceLimit = 50;
  config.off = () => {
    busy++;
    attempt(() => delete localStorage[endpoint]);
  };
  config.report = safely((error: any, extra: any, mechanism: any) => {
    handled = Object(error); // of what is no object, a new one: that may be thrown again
    if ([heard, heard.error, heard.reason].includes(handled)) return;
    tell(error, mechanism || "manual", handled, extra); // it may be an event itself: a worker's
  });
  attempt(() => {
    if (config.sample! < 1) luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck; // one for the session
  });
  // What the inline part heard before this script came.
  if (config.q) {
    config.q.forEach((heard: any) => (heard.pop ? (config as any).report(...heard) : hear(heard)));
    while (config.q.n!-- > 99) drop("cap"); // what was too much for it
  }
  config.q = undefined;
  setTimeout(later, SOON);
  // Once more for a page that is written anew: document.open takes listeners off. Those that are there stay one.
  (config.listen = () =>
    ["error", "unhandledrejection", "pagehide", "visibilitychange", "freeze"].map((type, at) =>
      addEventListener(type, at < 2 ? hear : leave, true)
    ))();
};
