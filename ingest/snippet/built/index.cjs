"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// ingest/snippet/index.ts
var index_exports = {};
__export(index_exports, {
  init: () => init,
  report: () => report
});
module.exports = __toCommonJS(index_exports);

// ingest/snippet/catchwater.ts
var SDK = "catchwater/0.1.0";
var DISTINCT = 50;
var TEXT = 2e3;
var STACK = 2e4;
var REPORT = 5e4;
var REQUEST = 2e4;
var MOST = 10;
var WAITING = 99;
var BATCH = 100;
var SOON = 500;
var LONG = 6e4;
var KEPT = 20;
var STALE = 72e6;
function start(endpoint) {
  var page = window;
  var config = page.catchwater = page.catchwater || {};
  if (config.sdk) return;
  config.sdk = SDK;
  var fetch = page.fetch;
  var data = (document.currentScript || {}).dataset;
  var seen = {};
  var queue = [];
  var dropped = {};
  var loaded = Date.now();
  var busy = 0;
  var distinct = 0;
  var flying = 0;
  var outlives = 0;
  var flushed = 0;
  var pause = SOON;
  var patience = SOON;
  var handled = queue;
  var timer, flushTimer, key;
  function safely(work) {
    return function() {
      if (!busy) {
        busy++;
        try {
          work.apply(0, arguments);
        } catch (_) {
        }
        busy--;
      }
    };
  }
  function attempt(work) {
    try {
      return work();
    } catch (_) {
    }
  }
  function newId() {
    return [].map.call((page.crypto || page.msCrypto).getRandomValues(new Uint8Array(16)), function(byte) {
      return (256 + byte).toString(16).slice(1);
    }).join("");
  }
  function describe(error) {
    if (Object(error) !== error) error = { message: String(error) };
    var stack = error.stack;
    var message = error.message;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return { type: error.name, message: "" + message, stack };
  }
  function fit(name, value) {
    name = name == "stack" ? STACK : TEXT;
    return typeof value == "string" && value.length > name ? value.slice(0, name) + "\u2026" : value;
  }
  function written(report2) {
    return JSON.stringify(report2, fit);
  }
  function put(report2) {
    var text = attempt(function() {
      return written(report2);
    });
    if (!text || text.length > REPORT) {
      report2.user = report2.tags = report2.extra = report2.breadcrumbs = void 0;
      text = written(report2);
    }
    queue.push(
      text.replace(/\\(ud[89a-f]..|.)/g, function(escape) {
        return escape[2] ? "\uFFFD" : escape;
      })
    );
  }
  function drop(reason) {
    dropped[reason] = -~dropped[reason];
  }
  function matches(patterns, text) {
    return patterns && patterns.some(function(one) {
      return one.test ? one.test(text) : text.indexOf(one) >= 0;
    });
  }
  function tell(error, mechanism, event, extra) {
    var now = Date.now();
    var report2 = describe(error);
    var cause = error = error || {};
    report2.source = event.filename || error.fileName || error.sourceURL;
    report2.line = event.lineno || error.lineNumber || error.line;
    report2.column = event.colno || error.columnNumber || error.column;
    var content = JSON.stringify(report2);
    var repeat = seen[content];
    if (repeat) {
      repeat.n++;
      repeat.ts = now;
      return;
    }
    var place = report2.stack || report2.source;
    if (matches(config.ignore, report2.type + ": " + report2.message) || config.allow && place && !matches(config.allow, place))
      return drop("ignored");
    if (repeat == null && distinct >= (config.cap || DISTINCT)) return drop("cap");
    report2.id = newId();
    report2.ts = report2.first_ts = now;
    report2.n = 1;
    report2.mechanism = mechanism;
    report2.page = location.href;
    report2.referrer = document.referrer;
    for (key in config) report2[key] = report2[key] || config[key];
    report2.extra = extra;
    report2.context = {
      viewport: innerWidth + "x" + innerHeight,
      language: navigator.language,
      connection: (navigator.connection || {}).effectiveType,
      visibility: document.visibilityState,
      age: now - loaded
    };
    report2.cause = [];
    while (!report2.cause[4] && (cause = cause.cause || cause.errors && cause.errors[0])) {
      report2.cause.push(describe(cause));
    }
    if (config.before && !(report2 = config.before(report2))) return drop("before");
    if (repeat == 0) {
      seen[content] = report2;
      if (now - flushed > patience * 5) patience = SOON;
      flushTimer = flushTimer || setTimeout(flush, patience);
    } else {
      distinct++;
      seen[content] = 0;
      put(report2);
      later(BATCH);
    }
  }
  function gather() {
    for (key in seen) {
      if (seen[key]) put(seen[key]);
      seen[key] = 0;
    }
  }
  var flush = safely(function() {
    flushTimer = 0;
    flushed = Date.now();
    patience = Math.min(patience * 1.25, LONG);
    if (!queue[WAITING]) gather();
    later(0);
  });
  function batch(reports) {
    var size = 0;
    for (var i = 0; i < MOST && reports[i] && (size += reports[i].length) < REQUEST; ) i++;
    return i || 1;
  }
  function address() {
    var told = JSON.stringify(dropped);
    dropped = {};
    return endpoint + (told[2] ? "?dropped=" + told : "");
  }
  function post(body, keepalive, done) {
    if (fetch) {
      fetch(address(), { method: "POST", body, credentials: "omit", keepalive }).then(
        function(answer) {
          done(answer.status, answer.headers.get("Retry-After"));
        },
        function() {
          done(0);
        }
      );
    } else {
      var request = new XMLHttpRequest();
      request.open("POST", address());
      request.onloadend = function() {
        done(request.status);
      };
      request.send(body);
    }
  }
  function send(plainly) {
    if (!queue[0] || flying && !plainly) return;
    var count = batch(queue);
    post(
      "[" + queue.slice(0, count) + "]",
      !plainly,
      safely(function(status, wait) {
        if (!status && !plainly) return send(1);
        if (/^[05]|408|429/.test(status)) {
          pause = Math.min(pause * 2, LONG);
          later(wait > 0 ? wait * 1e3 : pause * Math.random());
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
  function later(ms) {
    timer = timer || setTimeout(due, ms);
  }
  var due = safely(function() {
    timer = 0;
    send();
  });
  function keep(done, more) {
    attempt(function() {
      if (more[0] || localStorage[endpoint])
        localStorage[endpoint] = JSON.stringify(
          stored().filter(function(text) {
            return done.indexOf(text) < 0;
          }).concat(more).slice(-KEPT)
        );
    });
  }
  function stored() {
    return JSON.parse(localStorage[endpoint] || "[]");
  }
  function resume() {
    attempt(function() {
      queue = stored().filter(function(text) {
        return JSON.parse(text).ts > Date.now() - STALE;
      });
    });
    if (queue[0]) later(SOON);
  }
  function leave() {
    gather();
    later(SOON);
    for (var rest = queue.slice(outlives); rest[0]; ) {
      navigator.sendBeacon(address(), "[" + rest.splice(0, batch(rest)) + "]");
    }
    outlives = queue.length;
    keep(queue, queue);
  }
  function hear(event) {
    if (event.pop) return tell(event[0], "manual", {}, event[1]);
    var thrown = event.error || event.reason;
    if (thrown === handled) return;
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  }
  function on(type, work) {
    addEventListener(type, safely(work), true);
  }
  for (key in data) config[key] = config[key] || data[key];
  if (Error.stackTraceLimit < 50) Error.stackTraceLimit = 50;
  config.off = function() {
    busy++;
    keep(queue, []);
  };
  config.report = safely(function(error, extra, mechanism) {
    handled = Object(error);
    tell(error, mechanism || "manual", {}, extra);
  });
  if (config.sample < 1) {
    var luck = Math.random();
    attempt(function() {
      luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck;
    });
    if (luck > config.sample) return config.off();
  }
  resume();
  attempt(function() {
    config.q.forEach(safely(hear));
  });
  config.q = void 0;
  on("error", hear);
  on("unhandledrejection", hear);
  on("pagehide", leave);
  on("visibilitychange", leave);
}

// ingest/snippet/index.ts
function init(endpoint, options) {
  var page = window;
  var config = page.catchwater = page.catchwater || {};
  for (var name in options) config[name] = options[name];
  start(endpoint);
  return config;
}
function report(error, extra) {
  var config = window.catchwater;
  if (config && config.report) config.report(error, extra);
}
