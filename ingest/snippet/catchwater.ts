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
var KEPT = 50; // reports kept for the next page: all that one page may tell of
var STALE = 72e6; // ms: kept for longer, a report may have been counted and forgotten by the server's dedupe

export function start(endpoint: string): void {
  var page: any = window;
  var config: Catchwater = (page.catchwater = page.catchwater || {});
  if (config.sdk) return; // a second copy, which would count everything twice
  config.sdk = SDK;

  var fetch = page.fetch; // taken before the page or an SDK wraps it: our requests are nobody's breadcrumbs
  var data = ((document.currentScript || 0) as HTMLElement).dataset;
  var seen: any = {}; // what was told, by content: the report of its repeats, or 0 while there are none
  var queue: string[] = []; // reports as JSON text, oldest first; each stays until it has been answered
  var loaded = Date.now();
  var luck: any = Math.random(); // decides whether this session is told of
  var busy = 0; // at work, or off for good
  var distinct = 0;
  var flying = 0; // how many at the head of the queue are on their way
  var outlives = 0; // how many there the browser has, to send even when the page ends
  var flushed = 0;
  var plain: any; // whether the next request does without keepalive
  var pause = SOON;
  var patience = SOON;
  var handled: any = queue; // nothing that is thrown
  var timer: any, flushTimer: any, key: string;

  // The functions stand in the order that packs best: it is worth 14 bytes.

  // One more of what is held back already.
  function folded(content: string): any {
    var held = seen[content];
    if (held) {
      held.ts = Date.now();
      held.n++;
    }
    return held;
  }

  // How many of these one request takes: at least one, however long.
  function batch(reports: string[]): number {
    var count = reports.length;
    while (count > MOST || (count > 1 && ("" + reports.slice(0, count)).length > REQUEST)) count--;
    return count;
  }

  // JSON.stringify's second argument: cuts texts, and lists.
  function fit(name: string, value: any): any {
    return value && value.slice ? value.slice(0, name == "stack" ? STACK : TEXT) : value;
  }

  function hear(event: any): void {
    var thrown = event.error || event.reason;
    if (thrown === handled) return; // the page has told us of it by hand
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  }

  // Anything can be thrown. An error is told by shape, for one of another frame is no instance of Error here.
  function describe(error: any): Report {
    if (Object(error) !== error) error = { message: String(error) };
    var stack = error.stack;
    var message = error.message;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    // Chrome repeats the message at the head of the stack: an endless one must not push the frames out.
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return { type: error.name, message: ("" + message).slice(0, TEXT), stack: stack };
  }

  function matches(patterns: any, text: string): any {
    return (
      patterns &&
      [].concat(patterns).some(function (one: any) {
        return (one.test ? text.search(one) : text.indexOf(one)) >= 0;
      })
    );
  }

  function put(report: any): void {
    var text = attempt(function () {
      return JSON.stringify(report, fit);
    });
    if (!(text && text.length < REPORT)) {
      report.user = report.tags = report.extra = report.breadcrumbs = undefined; // circular or huge: the error still goes
      text = JSON.stringify(report, fit);
    }
    queue.push(text);
  }

  // The page may end here: what no request carries to its end goes by beacon. It stays in the queue and is kept
  // too, for a beacon has no answer; it may be sent again, and the server knows its id.
  function leave(): void {
    gather();
    later(SOON);
    var rest = queue.slice(outlives);
    keep(queue, queue);
    outlives = queue.length; // pagehide and visibilitychange come in pairs
    while (rest[0]) navigator.sendBeacon(endpoint, "[" + rest.splice(0, batch(rest)) + "]");
  }

  function attempt(work: any): any {
    try {
      return work();
    } catch (_) {}
  }

  function tell(error: any, mechanism: string, event: any, extra?: any): void {
    try {
      var now = Date.now();
      var report: any = describe(error);
      var chain = [error];
      var cause = (error = error || 0);
      // The event's place, or what Firefox and WebKit write on an error: without a stack there is no other.
      report.source = event.filename || error.fileName || error.sourceURL;
      report.line = event.lineno || error.lineNumber || error.line;
      report.column = event.colno || error.columnNumber || error.column;
      var content = JSON.stringify(report);
      var repeat = folded(content);
      if (repeat) return;
      var place = report.stack || report.source;
      if (luck - config.sample! > 0) return drop("sample"); // either may be a text
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
        visibility: document.visibilityState,
        age: now - loaded,
      };
      // A chain may come back to where it has been.
      while (!chain[5] && (cause = cause.cause || (cause.errors || 0)[0]) && chain.indexOf(cause) < 0) chain.push(cause);
      report.cause = chain.slice(1).map(describe);
      if (config.before) {
        if (!(cause = config.before(report))) return drop("before");
        if (cause.id) report = cause; // else it only says yes, or is a promise
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
  }

  function drop(reason: string): void {
    seen[reason] = seen[reason] || { id: newId(), n: 0, dropped: reason };
    folded(reason);
  }

  function gather(): void {
    for (key in seen) {
      var held = seen[key];
      seen[key] = 0;
      if (held && held.n) put(held); // a page may have put something else on Object.prototype
    }
  }

  // A pause that is on is kept: new errors do not make us ask a server sooner that has asked us to wait.
  function later(ms?: number): void {
    timer = timer || setTimeout(send, ms);
  }

  function newId(): string {
    var bytes = (page.crypto || page.msCrypto).getRandomValues(new Uint8Array(16));
    for (var id = "", at = 0; at < 16; ) id += (256 + bytes[at++]).toString(16).slice(1);
    return id;
  }

  // All but those that are known.
  function stored(known: string[]): string[] {
    return (
      attempt(function () {
        return JSON.parse(localStorage[endpoint]).filter(function (text: string) {
          return known.indexOf(text) < 0 && JSON.parse(text).ts > Date.now() - STALE;
        });
      }) || []
    );
  }

  // In localStorage stands what was not answered when a page ended, for the next one to send: here without `done`.
  function keep(done: string[], more: string[]): void {
    attempt(function () {
      if (more[0] || localStorage[endpoint])
        localStorage[endpoint] = JSON.stringify(stored(done).concat(more).slice(-KEPT));
    });
  }

  // Whatever goes wrong in here stays in here, and an error made in here is not reported in here.
  function safely(work: any): any {
    return function (a: any, b: any, c: any) {
      if (!busy) {
        busy++;
        attempt(function () {
          work(a, b, c);
        });
        busy--;
      }
    };
  }

  // A storm that goes on is told of ever more rarely, with ever larger n.
  var flush = safely(function () {
    flushTimer = 0;
    flushed = Date.now();
    if (patience < LONG) patience *= 1.25;
    if (!queue[WAITING]) gather();
    later();
  });

  // One request at a time, so that ours never add up to more than the browser allows in flight. A string without
  // headers is a "simple" request: no preflight.
  var send = safely(function () {
    timer = 0;
    if (flying) return;
    // What earlier pages have kept goes first. Reading it takes some milliseconds: not while a page is built up.
    queue = stored(queue).concat(queue);
    var count = batch(queue);
    if (!count) return;
    var done = safely(function (answer: any) {
      answer = answer || 0; // a page's own fetch may end without one
      var status = answer.status;
      var wait = answer.headers && answer.headers.get("Retry-After"); // s; XHR has no such member
      plain = !status && !plain; // too long for keepalive, or the page itself uses the quota up
      if (!(status || timer)) outlives = 0; // with a timer on, the page may just be leaving, and the browser goes on sending
      if (!status || /^5|408|429/.test(status)) {
        if (pause < LONG) pause *= 2;
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
    if (fetch) {
      fetch(endpoint, { method: "POST", body: "[" + queue.slice(0, count) + "]", keepalive: !plain }).then(done, done);
    } else {
      var request = new XMLHttpRequest();
      request.open("POST", endpoint);
      request.onloadend = function () {
        done(request);
      };
      request.send("[" + queue.slice(0, count) + "]");
    }
    flying = count;
    if (!plain && outlives < count) outlives = count;
  });

  for (key in data) (config as any)[key] = (config as any)[key] || data[key];
  if ((Error as any).stackTraceLimit < 50) (Error as any).stackTraceLimit = 50;
  config.off = function () {
    busy++;
    attempt(function () {
      delete localStorage[endpoint];
    });
  };
  config.report = safely(function (error: any, extra: any, mechanism: any) {
    handled = Object(error); // of what is no object, a new one: that may be thrown again
    tell(error, mechanism || "manual", handled, extra); // it may be an event itself: a worker's
  });
  attempt(function () {
    if (config.sample! < 1) luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck; // one for the session
  });
  // What the inline part heard before this script came.
  if (config.q) {
    config.q.map(function (heard: any) {
      heard.pop ? config.report!.apply(0, heard) : safely(hear)(heard);
    });
    while (config.q.n!-- > 99) drop("cap"); // what was too much for it
  }
  setTimeout(later, SOON);
  config.q = undefined;
  ["error", "unhandledrejection", "pagehide", "visibilitychange", "freeze"].map(function (type, at) {
    addEventListener(type, safely(at < 2 ? hear : leave), true);
  });
}
