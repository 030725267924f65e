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
var KEPT = 50;
var STALE = 72e6;
function start(endpoint) {
  var page = window;
  var config = page.catchwater = page.catchwater || {};
  if (config.sdk) return;
  config.sdk = SDK;
  var fetch = page.fetch;
  var data = (document.currentScript || 0).dataset;
  var seen = {};
  var queue = [];
  var loaded = Date.now();
  var luck = Math.random();
  var busy = 0;
  var distinct = 0;
  var flying = 0;
  var outlives = 0;
  var flushed = 0;
  var plain;
  var pause = SOON;
  var patience = SOON;
  var handled = queue;
  var timer, flushTimer, key;
  function folded(content) {
    var held = seen[content];
    if (held) {
      held.ts = Date.now();
      held.n++;
    }
    return held;
  }
  function batch(reports) {
    var count = reports.length;
    while (count > MOST || count > 1 && ("" + reports.slice(0, count)).length > REQUEST) count--;
    return count;
  }
  function fit(name, value) {
    return value && value.slice ? value.slice(0, name == "stack" ? STACK : TEXT) : value;
  }
  function hear(event) {
    var thrown = event.error || event.reason;
    if (thrown === handled) return;
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  }
  function describe(error) {
    if (Object(error) !== error) error = { message: String(error) };
    var stack = error.stack;
    var message = error.message;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return { type: error.name, message: ("" + message).slice(0, TEXT), stack };
  }
  function matches(patterns, text) {
    return patterns && [].concat(patterns).some(function(one) {
      return (one.test ? text.search(one) : text.indexOf(one)) >= 0;
    });
  }
  function put(report2) {
    var text = attempt(function() {
      return JSON.stringify(report2, fit);
    });
    if (!(text && text.length < REPORT)) {
      report2.user = report2.tags = report2.extra = report2.breadcrumbs = void 0;
      text = JSON.stringify(report2, fit);
    }
    queue.push(text);
  }
  function leave() {
    gather();
    later(SOON);
    var rest = queue.slice(outlives);
    keep(queue, queue);
    outlives = queue.length;
    while (rest[0]) navigator.sendBeacon(endpoint, "[" + rest.splice(0, batch(rest)) + "]");
  }
  function attempt(work) {
    try {
      return work();
    } catch (_) {
    }
  }
  function tell(error, mechanism, event, extra) {
    try {
      var now = Date.now();
      var report2 = describe(error);
      var chain = [error];
      var cause = error = error || 0;
      report2.source = event.filename || error.fileName || error.sourceURL;
      report2.line = event.lineno || error.lineNumber || error.line;
      report2.column = event.colno || error.columnNumber || error.column;
      var content = JSON.stringify(report2);
      var repeat = folded(content);
      if (repeat) return;
      var place = report2.stack || report2.source;
      if (luck - config.sample > 0) return drop("sample");
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
        visibility: document.visibilityState,
        age: now - loaded
      };
      while (!chain[5] && (cause = cause.cause || (cause.errors || 0)[0]) && chain.indexOf(cause) < 0) chain.push(cause);
      report2.cause = chain.slice(1).map(describe);
      if (config.before) {
        if (!(cause = config.before(report2))) return drop("before");
        if (cause.id) report2 = cause;
      }
      if (repeat == 0) {
        seen[content] = report2;
        if (now - flushed > patience * 5) patience = SOON;
        flushTimer = flushTimer || setTimeout(flush, patience);
      } else {
        put(report2);
        distinct++;
        seen[content] = 0;
        later(BATCH);
      }
    } catch (_) {
      drop("failed");
    }
  }
  function drop(reason) {
    seen[reason] = seen[reason] || { id: newId(), n: 0, dropped: reason };
    folded(reason);
  }
  function gather() {
    for (key in seen) {
      var held = seen[key];
      seen[key] = 0;
      if (held && held.n) put(held);
    }
  }
  function later(ms) {
    timer = timer || setTimeout(send, ms);
  }
  function newId() {
    var bytes = (page.crypto || page.msCrypto).getRandomValues(new Uint8Array(16));
    for (var id = "", at = 0; at < 16; ) id += (256 + bytes[at++]).toString(16).slice(1);
    return id;
  }
  function stored(known) {
    return attempt(function() {
      return JSON.parse(localStorage[endpoint]).filter(function(text) {
        return known.indexOf(text) < 0 && JSON.parse(text).ts > Date.now() - STALE;
      });
    }) || [];
  }
  function keep(done, more) {
    attempt(function() {
      if (more[0] || localStorage[endpoint])
        localStorage[endpoint] = JSON.stringify(stored(done).concat(more).slice(-KEPT));
    });
  }
  function safely(work) {
    return function(a, b, c) {
      if (!busy) {
        busy++;
        attempt(function() {
          work(a, b, c);
        });
        busy--;
      }
    };
  }
  var flush = safely(function() {
    flushTimer = 0;
    flushed = Date.now();
    if (patience < LONG) patience *= 1.25;
    if (!queue[WAITING]) gather();
    later();
  });
  var send = safely(function() {
    timer = 0;
    if (flying) return;
    queue = stored(queue).concat(queue);
    var count = batch(queue);
    if (!count) return;
    var done = safely(function(answer) {
      answer = answer || 0;
      var status = answer.status;
      var wait = answer.headers && answer.headers.get("Retry-After");
      plain = !status && !plain;
      if (!(status || timer)) outlives = 0;
      if (!status || /^5|408|429/.test(status)) {
        if (pause < LONG) pause *= 2;
        later(wait * 1e3 % 2e9 || pause * Math.random());
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
      request.onloadend = function() {
        done(request);
      };
      request.send("[" + queue.slice(0, count) + "]");
    }
    flying = count;
    if (!plain && outlives < count) outlives = count;
  });
  for (key in data) config[key] = config[key] || data[key];
  if (Error.stackTraceLimit < 50) Error.stackTraceLimit = 50;
  config.off = function() {
    busy++;
    attempt(function() {
      delete localStorage[endpoint];
    });
  };
  config.report = safely(function(error, extra, mechanism) {
    handled = Object(error);
    tell(error, mechanism || "manual", handled, extra);
  });
  attempt(function() {
    if (config.sample < 1) luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck;
  });
  if (config.q) {
    config.q.map(function(heard) {
      heard.pop ? config.report.apply(0, heard) : safely(hear)(heard);
    });
    while (config.q.n-- > 99) drop("cap");
  }
  setTimeout(later, SOON);
  config.q = void 0;
  ["error", "unhandledrejection", "pagehide", "visibilitychange", "freeze"].map(function(type, at) {
    addEventListener(type, safely(at < 2 ? hear : leave), true);
  });
}

// ingest/snippet/index.ts
function init(endpoint, options) {
  if (typeof window == "undefined") return options || {};
  var page = window;
  try {
    var config = page.catchwater = page.catchwater || {};
    for (var name in options) config[name] = options[name];
    start(endpoint);
  } catch (_) {
  }
  return page.catchwater || {};
}
function report(error, extra) {
  var config = typeof window == "undefined" ? {} : window.catchwater;
  if (config && config.report) config.report(error, extra);
}
