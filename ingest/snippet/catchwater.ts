/* Catchwater in the page: tells an ingest server of the errors that happen there.
 *
 * It promises the page: it never throws, never calls preventDefault, leaves window.onerror alone (it listens
 * beside whatever is there), depends on nothing, and works without its server. It promises the counts: an
 * occurrence folded, retried, kept for the next page or sent twice keeps its id, so the server counts it once;
 * what is left out on purpose is counted by reason, and the server hears of it.
 *
 * Written so that its syntax is ES5 when its types are gone: a syntax error in here would be the one error nobody
 * hears of.
 */
import type { Catchwater, Report } from "./types";

var SDK = "catchwater/0.1.0";
var DISTINCT = 50; // different errors told per page; those beyond are counted as dropped
var TEXT = 2e3; // longest text, in characters; a stack may have STACK of them
var STACK = 2e4;
var REPORT = 5e4; // over this many characters a report goes without what the page added to it
var REQUEST = 2e4; // 3 bytes a character at most: within the 64 KiB a page may have in flight with keepalive
var MOST = 10; // reports in one request
var WAITING = 99; // with more reports than this unanswered, repeats go on folding
var BATCH = 100; // ms that a report waits for others
var SOON = 500; // ms until repeats are told, and the first pause after a failure
var LONG = 6e4; // ms: both grow up to this
var KEPT = 20; // reports kept for the next page
var STALE = 72e6; // ms: kept for longer, a report may have been counted and forgotten by the server's dedupe

export function start(endpoint: string): void {
  var page: any = window;
  var config: Catchwater = (page.catchwater = page.catchwater || {});
  if (config.sdk) return; // a second copy, which would count everything twice
  config.sdk = SDK;

  var fetch = page.fetch; // taken before the page or an SDK wraps it: our requests are nobody's breadcrumbs
  var data = ((document.currentScript || {}) as HTMLElement).dataset;
  var seen: any = {}; // what was told, by content: the report of its repeats, or 0 while there are none
  var queue: string[] = []; // reports as JSON text, oldest first; each stays until it has been answered
  var dropped: any = {}; // occurrences that are not sent, by reason
  var loaded = Date.now();
  var busy = 0; // at work, or off for good
  var distinct = 0;
  var flying = 0; // how many at the head of the queue are on their way
  var outlives = 0; // how many of those are sent even when the page ends
  var flushed = 0;
  var pause = SOON;
  var patience = SOON;
  var handled: any = queue; // nothing that is thrown
  var timer: any, flushTimer: any, key: string;

  // Whatever goes wrong in here stays in here, and an error made in here is not reported in here.
  function safely(work: any): any {
    return function () {
      if (!busy) {
        busy++;
        try {
          work.apply(0, arguments);
        } catch (_) {}
        busy--;
      }
    };
  }

  function attempt(work: any): any {
    try {
      return work();
    } catch (_) {}
  }

  function newId(): string {
    return [].map
      .call((page.crypto || page.msCrypto).getRandomValues(new Uint8Array(16)), function (byte: number) {
        return (256 + byte).toString(16).slice(1);
      })
      .join("");
  }

  // Anything can be thrown. An error is told by shape, for one of another frame is no instance of Error here.
  function describe(error: any): Report {
    if (Object(error) !== error) error = { message: String(error) };
    var stack = error.stack;
    var message = error.message;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    // Chrome repeats the message at the head of the stack: an endless one must not push the frames out.
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return { type: error.name, message: "" + message, stack: stack };
  }

  // JSON.stringify's second argument: cuts texts.
  function fit(name: any, value: any): any {
    name = name == "stack" ? STACK : TEXT;
    return typeof value == "string" && value.length > name ? value.slice(0, name) + "\u2026" : value;
  }

  function written(report: Report): string {
    return JSON.stringify(report, fit);
  }

  function put(report: any): void {
    var text = attempt(function () {
      return written(report);
    });
    if (!text || text.length > REPORT) {
      report.user = report.tags = report.extra = report.breadcrumbs = undefined; // circular or huge: the error still goes
      text = written(report);
    }
    // Half a surrogate pair is written as an escape, and is not Unicode. Every other escape stays.
    queue.push(
      text.replace(/\\(ud[89a-f]..|.)/g, function (escape: string) {
        return escape[2] ? "\ufffd" : escape;
      })
    );
  }

  function drop(reason: string): void {
    dropped[reason] = -~dropped[reason]; // one more
  }

  function matches(patterns: any, text: string): any {
    return (
      patterns &&
      patterns.some(function (one: any) {
        return one.test ? one.test(text) : text.indexOf(one) >= 0;
      })
    );
  }

  function tell(error: any, mechanism: string, event: any, extra?: any): void {
    var now = Date.now();
    var report: any = describe(error);
    var cause = (error = error || {});
    // The event's place, or what Firefox and WebKit write on an error: without a stack there is no other.
    report.source = event.filename || error.fileName || error.sourceURL;
    report.line = event.lineno || error.lineNumber || error.line;
    report.column = event.colno || error.columnNumber || error.column;
    var content = JSON.stringify(report);
    var repeat = seen[content];
    if (repeat) {
      repeat.n++;
      repeat.ts = now;
      return;
    }
    var place = report.stack || report.source;
    if (
      matches(config.ignore, report.type + ": " + report.message) ||
      (config.allow && place && !matches(config.allow, place))
    )
      return drop("ignored");
    if (repeat == null && distinct >= (config.cap || DISTINCT)) return drop("cap");
    report.id = newId();
    report.ts = report.first_ts = now;
    report.n = 1;
    report.mechanism = mechanism;
    report.page = location.href;
    report.referrer = document.referrer;
    // Release, environment, user, tags... and the settings, which the server does not look at. Functions do not go.
    for (key in config) report[key] = report[key] || (config as any)[key];
    report.extra = extra;
    report.context = {
      viewport: innerWidth + "x" + innerHeight,
      language: navigator.language,
      connection: ((navigator as any).connection || {}).effectiveType,
      visibility: document.visibilityState,
      age: now - loaded,
    };
    report.cause = [];
    while (!report.cause[4] && (cause = cause.cause || (cause.errors && cause.errors[0]))) {
      report.cause.push(describe(cause));
    }
    if (config.before && !(report = config.before(report))) return drop("before");
    if (repeat == 0) {
      seen[content] = report;
      if (now - flushed > patience * 5) patience = SOON;
      flushTimer = flushTimer || setTimeout(flush, patience);
    } else {
      distinct++;
      seen[content] = 0;
      put(report);
      later(BATCH);
    }
  }

  function gather(): void {
    for (key in seen) {
      if (seen[key]) put(seen[key]);
      seen[key] = 0;
    }
  }

  // A storm that goes on is told of ever more rarely, with ever larger n.
  var flush = safely(function () {
    flushTimer = 0;
    flushed = Date.now();
    patience = Math.min(patience * 1.25, LONG);
    if (!queue[WAITING]) gather();
    later(0);
  });

  // How many of these one request takes: at least one, however long.
  function batch(reports: string[]): number {
    var size = 0;
    for (var i = 0; i < MOST && reports[i] && (size += reports[i].length) < REQUEST; ) i++;
    return i || 1;
  }

  // Where a request goes; it takes the counts of what was dropped along.
  function address(): string {
    var told = JSON.stringify(dropped);
    dropped = {};
    return endpoint + (told[2] ? "?dropped=" + told : "");
  }

  // A string without headers is a "simple" request: no preflight. `done` hears the status, 0 without an answer.
  function post(body: string, keepalive: boolean, done: any): void {
    if (fetch) {
      fetch(address(), { method: "POST", body: body, credentials: "omit", keepalive: keepalive }).then(
        function (answer: any) {
          done(answer.status, answer.headers.get("Retry-After"));
        },
        function () {
          done(0);
        }
      );
    } else {
      var request = new XMLHttpRequest();
      request.open("POST", address());
      request.onloadend = function () {
        done(request.status);
      };
      request.send(body);
    }
  }

  // One request at a time, so that ours never add up to more than the browser allows in flight.
  function send(plainly?: any): void {
    if (!queue[0] || (flying && !plainly)) return;
    var count = batch(queue);
    post(
      "[" + queue.slice(0, count) + "]",
      !plainly,
      safely(function (status: number, wait: any) {
        if (!status && !plainly) return send(1); // too long for keepalive, or the page itself uses the quota up
        if (/^[05]|408|429/.test(status as any)) {
          pause = Math.min(pause * 2, LONG);
          later(wait > 0 ? wait * 1e3 : pause * Math.random()); // spread: after an outage all pages would come at once
        } else {
          keep(queue.splice(0, flying), []);
          pause = SOON;
          later(0);
        }
        flying = outlives = 0;
      })
    );
    flying = count;
    outlives = plainly ? 0 : count;
  }

  // A pause that is on is kept: new errors do not make us ask a server sooner that has asked us to wait.
  function later(ms: number): void {
    timer = timer || setTimeout(due, ms);
  }

  var due = safely(function () {
    timer = 0;
    send();
  });

  // In localStorage stands what was not answered when a page ended, for the next one to send: here without `done`.
  function keep(done: string[], more: string[]): void {
    attempt(function () {
      if (more[0] || localStorage[endpoint])
        localStorage[endpoint] = JSON.stringify(
          stored()
            .filter(function (text) {
              return done.indexOf(text) < 0;
            })
            .concat(more)
            .slice(-KEPT)
        );
    });
  }

  function stored(): string[] {
    return JSON.parse(localStorage[endpoint] || "[]");
  }

  function resume(): void {
    attempt(function () {
      queue = stored().filter(function (text) {
        return JSON.parse(text).ts > Date.now() - STALE;
      });
    });
    if (queue[0]) later(SOON);
  }

  // The page may end here: what no request carries to its end goes by beacon. It stays in the queue and is kept
  // too, for a beacon has no answer; it may be sent again, and the server knows its id.
  function leave(): void {
    gather();
    later(SOON);
    for (var rest = queue.slice(outlives); rest[0]; ) {
      navigator.sendBeacon(address(), "[" + rest.splice(0, batch(rest)) + "]");
    }
    outlives = queue.length; // pagehide and visibilitychange come in pairs
    keep(queue, queue);
  }

  function hear(event: any): void {
    if (event.pop) return tell(event[0], "manual", {}, event[1]); // the inline part's report() before we came
    var thrown = event.error || event.reason;
    if (thrown === handled) return; // the page has told us of it by hand
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  }

  function on(type: string, work: any): void {
    addEventListener(type, safely(work), true); // capture: failed resources do not bubble
  }

  for (key in data) (config as any)[key] = (config as any)[key] || data[key];
  if ((Error as any).stackTraceLimit < 50) (Error as any).stackTraceLimit = 50;
  config.off = function () {
    busy++;
    keep(queue, []);
  };
  config.report = safely(function (error: any, extra: any, mechanism: any) {
    handled = Object(error); // of what is no object, a new one: that may be thrown again
    tell(error, mechanism || "manual", {}, extra);
  });
  if (config.sample! < 1) {
    var luck = Math.random();
    attempt(function () {
      luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck; // a session is told whole or not at all
    });
    if (luck > config.sample!) return config.off();
  }
  resume();
  attempt(function () {
    config.q!.forEach(safely(hear)); // what the inline part heard before this script came
  });
  config.q = undefined;
  on("error", hear);
  on("unhandledrejection", hear);
  on("pagehide", leave);
  on("visibilitychange", leave);
}
