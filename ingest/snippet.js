/* Catchwater's browser snippet: tells a Catchwater ingest server of the errors that happen on a page.
 *
 * It promises the page: it never throws, never calls preventDefault, leaves window.onerror alone (it
 * listens beside whatever is there), depends on nothing, and works without its server. It promises the
 * counts: an occurrence folded, retried or sent twice keeps its id, so the server counts it once.
 *
 * Syntax is ES5 and stays so: a syntax error in here would be the one error nobody hears of.
 * The server puts the address of POST /e/{key} in place of the one string literal below.
 * snippet.min.js is made of this file by `python -m tests.browser.build_snippet`.
 */
(function () {
  var ENDPOINT = "__CATCHWATER_ENDPOINT__";
  var SDK = "catchwater/0.1.0";
  var DISTINCT = 50; // different errors told per page; those beyond are not sent
  var TEXT = 2e3; // longest text, in characters; a stack may have STACK of them
  var STACK = 2e4;
  var REPORT = 5e4; // over this many characters a report goes without what the page added to it
  var REQUEST = 2e4; // 3 bytes a character at most: within the 64 KiB a page may have in flight with keepalive
  var WAITING = 99; // with more reports than this unanswered, repeats go on folding
  var SOON = 500; // ms until repeats are told, and the first pause after a failure
  var LONG = 6e4; // ms: both grow up to this

  var config = (window.catchwater = window.catchwater || {});
  var fetch = window.fetch; // taken before the page or an SDK wraps it: our requests are nobody's breadcrumbs
  var script = document.currentScript;
  var data = script && script.dataset;
  var seen = {}; // what was told, by content: the report of its repeats, or 0 while there are none
  var queue = []; // reports as JSON text, oldest first; each stays until it has been answered
  var distinct = 0;
  var flying = 0; // how many at the head of the queue are on their way
  var outlives = 0; // how many of those are sent even when the page ends
  var flushed = 0;
  var pause = SOON;
  var patience = SOON;
  var busy, handled, flushTimer, retryTimer, key;

  // Whatever goes wrong in here stays in here, and an error made in here is not reported in here.
  function safely(work) {
    return function (a, b) {
      if (!busy) {
        busy = 1;
        try {
          work(a, b);
        } catch (_) {}
        busy = 0;
      }
    };
  }

  function newId() {
    var text = "";
    var bytes = [];
    var i = 16;
    try {
      bytes = crypto.getRandomValues(new Uint8Array(i));
    } catch (_) {}
    while (i--) text += (256 + (bytes[i] || Math.random() * 256)).toString(16).slice(1, 3);
    return text;
  }

  // Anything can be thrown. An error is told by shape, for one of another frame is no instance of Error here.
  function describe(error) {
    if (Object(error) !== error) error = { message: String(error) };
    var stack = error.stack;
    var message = error.message;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error).sort();
    // Chrome repeats the message at the head of the stack: an endless one must not push the frames out.
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return { type: error.name, message: "" + message, stack: stack };
  }

  // JSON.stringify's second argument: cuts texts.
  function fit(name, value) {
    name = name == "stack" ? STACK : TEXT;
    return typeof value == "string" && value.length > name ? value.slice(0, name) + "\u2026" : value;
  }

  function put(report) {
    var text;
    try {
      text = JSON.stringify(report, fit);
    } catch (_) {}
    if (!text || text.length > REPORT) {
      report.user = report.tags = report.extra = undefined; // circular or huge: the error itself still goes
      text = JSON.stringify(report, fit);
    }
    // Half a surrogate pair is written as an escape, and is not Unicode. Every other escape stays.
    queue.push(
      text.replace(/\\(ud[89a-f]..|.)/g, function (escape) {
        return escape[2] ? "\ufffd" : escape;
      })
    );
  }

  function tell(error, mechanism, event, extra) {
    var now = Date.now();
    var report = describe(error);
    var cause = (error = error || {});
    var name;
    // The event's place, or what Firefox and WebKit write on an error: without a stack there is no other.
    report.source = event.filename || error.fileName || error.sourceURL;
    report.line = event.lineno || error.lineNumber || error.line;
    report.column = event.colno || error.columnNumber || error.column;
    key = JSON.stringify(report);
    if (seen[key]) {
      seen[key].n++;
      seen[key].ts = now;
    } else {
      report.id = newId();
      report.ts = report.first_ts = now;
      report.n = 1;
      report.mechanism = mechanism;
      report.page = location.href;
      report.referrer = document.referrer;
      report.sdk = SDK;
      report.extra = extra;
      for (name in config) report[name] = report[name] || config[name]; // release, environment, user, tags
      report.cause = [];
      while (!report.cause[4] && (cause = cause.cause || (cause.errors && cause.errors[0]))) {
        report.cause.push(describe(cause));
      }
      if (key in seen) {
        seen[key] = report;
        if (now - flushed > patience * 5) patience = SOON;
        flushTimer = flushTimer || setTimeout(flush, patience);
      } else if (distinct++ < DISTINCT) {
        seen[key] = 0;
        put(report);
        send();
      }
    }
  }

  function gather() {
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
    send();
  });

  // How many of these one request takes: at least one, however long.
  function batch(reports) {
    var size = 0;
    for (var i = 0; reports[i] && (size += reports[i].length) < REQUEST; ) i++;
    return i || 1;
  }

  // One request at a time, so that ours never add up to more than the browser allows in flight. A string
  // without headers is a "simple" request: no preflight. Were fetch to throw, nothing would have changed.
  function send(plainly) {
    if (queue[0] && (plainly || !flying)) {
      var count = batch(queue);
      fetch(ENDPOINT, {
        method: "POST",
        body: "[" + queue.slice(0, count) + "]",
        credentials: "omit",
        keepalive: !plainly,
      })
        .then(
          function (answer) {
            if (/408|429|5../.test(answer.status)) retry();
            else {
              queue.splice(0, flying);
              flying = outlives = 0;
              pause = SOON;
              send();
            }
          },
          function () {
            if (plainly) retry();
            else send(1); // too long for keepalive, or the quota is used up by the page itself
          }
        )
        .then(null, retry);
      flying = count;
      outlives = plainly ? 0 : count;
    }
  }

  function later(ms) {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(safely(send), ms);
  }

  function retry() {
    flying = outlives = 0;
    pause = Math.min(pause * 2, LONG);
    later(pause * Math.random()); // spread: after an outage all pages would come at once
  }

  // The page may end here: what no request carries to its end goes by beacon. It stays in the queue too,
  // for a beacon has no answer; if the page lives on it is sent again, and the server knows its id.
  function leave() {
    gather();
    later(SOON);
    for (var rest = queue.slice(outlives); rest[0]; ) {
      navigator.sendBeacon(ENDPOINT, "[" + rest.splice(0, batch(rest)) + "]");
    }
    outlives = queue.length; // pagehide and visibilitychange come in pairs
  }

  function hear(event) {
    var target = event.target;
    var thrown = event.error || event.reason;
    var address;
    if (handled && thrown === handled) return; // the page has told us of it by hand
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
    else if (target.localName) {
      address = target.currentSrc || target.src || target.href;
      tell(
        { name: "ResourceError", message: "Failed to load " + target.localName + " " + address },
        "resource",
        { filename: address }
      );
    }
  }

  function on(type, work) {
    addEventListener(type, safely(work), true); // capture: failed resources do not bubble
  }

  if (!config.capture) {
    // else this is a second copy, and would count everything twice
    for (key in data) config[key] = config[key] || data[key];
    if (Error.stackTraceLimit < 50) Error.stackTraceLimit = 50;
    config.capture = safely(function (error, extra) {
      handled = typeof error == "object" && error;
      tell(error, "manual", {}, extra);
    });
    (config.q || []).forEach(safely(hear)); // what a stub in the page heard before this script came
    config.q = undefined;
    on("error", hear);
    on("unhandledrejection", hear);
    on("pagehide", leave);
    on("visibilitychange", leave);
  }
})();
