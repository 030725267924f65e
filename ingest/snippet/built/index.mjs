// ingest/snippet/catchwater.ts
var SDK = "catchwater/0.1.0";
var DISTINCT = 50;
var TEXT = 2e3;
var STACK = 2e4;
var REPORT = 5e4;
var REQUEST = 2e4;
var WAITING = 99;
var BATCH = 100;
var SOON = 500;
var LONG = 6e4;
var KEPT = 50;
var STALE = 72e6;
var start = (endpoint, filters) => {
  const config = window.catchwater = window.catchwater || {};
  if (config.sdk) return config.listen();
  config.sdk = SDK;
  const { fetch, crypto } = window;
  const seen = {};
  let queue = [];
  let distinct = 0;
  let handled = queue;
  let heard = queue;
  let twin;
  let luck = Math.random();
  let busy = 0;
  let flying = 0;
  let outlives = 0;
  let plain;
  let pause = SOON;
  let patience = SOON;
  let flushed = 0;
  let timer, flushTimer;
  const attempt = (work) => {
    try {
      return work();
    } catch (_) {
    }
  };
  const safely = (work) => (...given) => {
    if (!busy) {
      busy++;
      attempt(() => work(...given));
      busy--;
    }
  };
  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return bytes.reduce((id, byte) => id + (256 + byte).toString(16).slice(1), "");
  };
  const fit = (name, value) => value && value.slice ? value.slice(0, name == "stack" ? STACK : TEXT) : value;
  const hear = safely((event) => {
    const thrown = event.error || event.reason;
    if (thrown === handled) return;
    heard = event;
    if ("reason" in event) tell(thrown, event.type, event);
    else if (thrown || event.message) tell(thrown || event.message, "onerror", event);
  });
  const describe = (error, event) => {
    if (Object(error) !== error) error = { message: String(error) };
    let { message, stack } = error;
    if (message == null) message = {}.toString.call(error) + " with keys: " + Object.keys(error);
    if (stack && stack.length > STACK) stack = stack.replace(message, "");
    return {
      toJSON: void 0,
      // one that the page gives to all objects or lists, as Prototype.js 1.6 does, is not for ours
      type: error.name,
      message: String(message).slice(0, TEXT),
      stack,
      // The event's place, or what Firefox and WebKit write on an error: without a stack there is no other.
      source: event.filename || error.fileName || error.sourceURL,
      line: event.lineno || error.lineNumber || error.line,
      column: event.colno || error.columnNumber || error.column
    };
  };
  const matches = (patterns, text) => patterns && [].concat(patterns).some((one) => text.split(one).length > 1);
  const tell = (error, mechanism, event, extra) => {
    try {
      const now = Date.now();
      const thrown = describe(error, event);
      const content = JSON.stringify(thrown);
      if (event == error) twin = event.filename && content;
      else if (content == twin && !handled.defaultPrevented) return twin = void 0;
      const repeat = folded(content);
      if (repeat) return;
      const place = thrown.stack || thrown.source;
      if (luck - config.sample > 0) return drop("sample");
      if (matches(config.ignore, thrown.type + ": " + thrown.message) || config.allow && place && !matches(config.allow, place))
        return drop("ignored");
      const filter = Object.keys(filters).find((name) => filters[name].test(content + location.href));
      if (filter) return drop(filter);
      if (repeat == null && distinct >= (config.cap || DISTINCT)) return drop("cap");
      const chain = [];
      for (let one = error; one && !chain[5] && !chain.includes(one); one = one.cause || (one.errors || 0)[0])
        chain.push(one);
      let report2 = Object.assign({}, config, thrown, {
        id: newId(),
        ts: now,
        first_ts: now,
        n: 1,
        mechanism,
        page: location.href,
        referrer: document.referrer,
        extra,
        cause: Object.assign(chain.slice(1).map(describe), { toJSON: 0 })
      });
      attempt(() => config.complete(report2));
      if (config.before) {
        const answer = config.before(report2);
        if (!answer) return drop("before");
        if (answer.id) report2 = answer;
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
  };
  const folded = (content) => {
    const held = seen[content];
    if (held) {
      held.ts = Date.now();
      held.n++;
    }
    return held;
  };
  const drop = (reason) => {
    seen[reason] = seen[reason] || { id: newId(), n: 0, dropped: reason, toJSON: void 0 };
    folded(reason);
  };
  const gather = () => {
    Object.keys(seen).forEach((content) => {
      const held = seen[content];
      seen[content] = 0;
      if (held) put(held);
    });
  };
  const flush = safely(() => {
    flushTimer = 0;
    flushed = Date.now();
    if (patience < LONG) patience *= 1.25;
    if (!queue[WAITING]) gather();
    later();
  });
  const put = (report2) => {
    let text = attempt(() => JSON.stringify(report2, fit));
    if (!(text && text.length < REPORT)) {
      report2.user = report2.tags = report2.extra = report2.breadcrumbs = void 0;
      text = JSON.stringify(report2, fit);
    }
    queue.push(text);
  };
  const later = (ms) => {
    timer = timer || setTimeout(send, ms);
  };
  const batch = (reports) => reports[1] && ("" + reports).length > REQUEST ? batch(reports.slice(0, -1)) : reports;
  const send = safely(() => {
    timer = 0;
    if (flying) return;
    queue = stored(queue).concat(queue);
    const reports = batch(queue);
    if (!reports[0]) return;
    fetch(endpoint, { method: "POST", body: "[" + reports + "]", keepalive: !plain }).then(answered, answered);
    flying = reports.length;
    outlives = plain ? 0 : flying;
  });
  const answered = safely((answer = {}) => {
    const status = answer.status;
    plain = !status && !plain;
    if (!(status || timer)) outlives = 0;
    if (!status || /^5|408|429/.test(status)) {
      if (pause < LONG) pause *= 2;
      const wait = status && answer.headers.get("Retry-After");
      later(wait * 1e3 % 2e9 || pause * Math.random());
    } else {
      outlives = 0;
      pause = SOON;
      keep(queue.splice(0, flying), []);
      later();
    }
    flying = 0;
  });
  const leave = safely(() => {
    gather();
    later(SOON);
    const rest = queue.slice(outlives);
    keep(queue, queue);
    outlives = queue.length;
    while (rest[0]) navigator.sendBeacon(endpoint, "[" + rest.splice(0, batch(rest).length) + "]");
  });
  const stored = (known) => attempt(
    () => JSON.parse(localStorage[endpoint]).filter(
      (text) => !known.includes(text) && JSON.parse(text).ts > Date.now() - STALE
    )
  ) || [];
  const keep = (done, more) => attempt(() => {
    if (more[0] || localStorage[endpoint])
      localStorage[endpoint] = "[" + stored(done).concat(more).slice(-KEPT).map(JSON.stringify) + "]";
  });
  const tag = document.currentScript || Array.from(document.scripts).find(({ src }) => src.includes(endpoint.slice(-32)));
  const data = (tag || 0).dataset;
  for (const name in data) config[name] = config[name] || data[name];
  if (Error.stackTraceLimit < 50) Error.stackTraceLimit = 50;
  config.off = () => {
    busy++;
    attempt(() => delete localStorage[endpoint]);
  };
  config.report = safely((error, extra, mechanism) => {
    handled = Object(error);
    if ([heard, heard.error, heard.reason].includes(handled)) return;
    tell(error, mechanism || "manual", handled, extra);
  });
  attempt(() => {
    if (config.sample < 1) luck = sessionStorage[endpoint] = sessionStorage[endpoint] || luck;
  });
  if (config.q) {
    config.q.forEach((heard2) => heard2.pop ? config.report(...heard2) : hear(heard2));
    while (config.q.n-- > 99) drop("cap");
  }
  config.q = void 0;
  setTimeout(later, SOON);
  (config.listen = () => ["error", "unhandledrejection", "pagehide", "visibilitychange", "freeze"].map(
    (type, at) => addEventListener(type, at < 2 ? hear : leave, true)
  ))();
};

// ingest/snippet/index.ts
function init(endpoint, options) {
  if (typeof window == "undefined") return options || {};
  var page = window;
  try {
    var config = page.catchwater = page.catchwater || {};
    for (var name in options) config[name] = options[name];
    start(endpoint, {});
  } catch (_) {
  }
  return page.catchwater || {};
}
function report(error, extra) {
  var config = typeof window == "undefined" ? {} : window.catchwater;
  if (config && config.report) config.report(error, extra);
}
export {
  init,
  report
};
