/* The optional second file: what happened before an error (clicks, navigation, requests, the console), what surrounds
 * it, the debug ids of its scripts, and errors of two more kinds, each only if it is asked for: `resources: true`,
 * `console: true`. Runs before or after the first.
 */
(function (page: any) {
  var config = (page.catchwater = page.catchwater || {});
  if (config.breadcrumbs) return;
  var crumbs: any = (config.breadcrumbs = []);
  crumbs.toJSON = 0; // the page's own for all lists (Prototype.js 1.6) is not for this one
  var MOST = 30;
  var TEXT = 200;
  var loaded = Date.now();

  // Whatever goes wrong in here stays in here.
  function safely(work: any): any {
    return function (this: any) {
      try {
        return work.apply(this, arguments);
      } catch (_) {}
    };
  }

  var add = safely(function (kind: string, message: any, data?: any) {
    message = JSON.parse(JSON.stringify(String(message).slice(0, TEXT))); // a copy: a cut text keeps the whole in memory
    crumbs.push({ ts: Date.now(), kind: kind, message: message, data: data });
    if (crumbs.length > MOST) crumbs.shift();
  });

  // What a build plugin has written for each bundle is its debug id, by a stack whose first address is the bundle's.
  // Here: by that address, for the scripts in these stacks.
  function debugIds(stacks: string): any {
    var found: any = {};
    [page._sentryDebugIds, page._debugIds].forEach(function (ids) {
      for (var stack in ids) {
        var file = (/\w+:\/\/.*?(?=:\d+:\d)/.exec(stack) || [])[0];
        if (file && stacks.indexOf(file) >= 0) found[file] = ids[stack];
      }
    });
    return found;
  }

  // The first file calls it with each report.
  config.complete = function (report: any) {
    var stacks = [report].concat(report.cause).map(function (one) {
      return one.stack;
    });
    report.debug_ids = debugIds(stacks + report.source);
    report.context = {
      viewport: innerWidth + "x" + innerHeight,
      language: navigator.language,
      visibility: document.visibilityState,
      age: Date.now() - loaded,
    };
  };

  // `button#pay.primary`, never what stands in it or was typed into it.
  function named(element: any): string {
    var name = element.localName || "?";
    if (element.id) name += "#" + element.id;
    return typeof element.className == "string" && element.className
      ? name + "." + element.className.trim().split(/\s+/).slice(0, 3).join(".")
      : name;
  }

  // An address without what follows its path, who asks, and what a `data:` address holds: there are the secrets.
  function plain(address: any): string {
    return String(address)
      .split(/[?#]/)[0]
      .replace(/^(data:)[^]*|(\/\/)[^\/]*@/i, "$1$2");
  }

  // A value given to the console, as text. A long list would take long to write, so only its kind is told.
  function worded(value: any): string {
    return Object(value) === value && value.length > 99 ? {}.toString.call(value) : String(value);
  }

  // Put something around a method. Not if this script came from another origin without `crossorigin`: what fails in a
  // method that such a script has around it, browsers keep from everybody, and the page's own errors would be lost.
  var script: any = document.currentScript;
  var muted = script && script.src && script.crossOrigin == null && script.src.indexOf(location.origin + "/");

  var around = safely(function (owner: any, name: string, wrapper: any) {
    var original = owner && owner[name];
    if (!muted && typeof original == "function") owner[name] = wrapper(original);
  });

  addEventListener(
    "click",
    safely(function (event: any) {
      add("click", named(event.target));
    }),
    true
  );

  var went = safely(function () {
    add("navigation", plain(location.href));
  });
  addEventListener("popstate", went);
  addEventListener("hashchange", went);
  ["pushState", "replaceState"].forEach(function (name) {
    around(history, name, function (original: any) {
      return function (this: any) {
        var answer = original.apply(this, arguments);
        went();
        return answer;
      };
    });
  });

  around(page, "fetch", function (original: any) {
    return function (this: any, input: any, init: any) {
      var what = safely(function () {
        return ((init && init.method) || input.method || "GET") + " " + plain(input.url || input);
      })();
      var started = Date.now();
      var answer = original.apply(this, arguments);
      if (!answer || !answer.then) return answer; // a page's own fetch, or one that a test put there
      return answer.then(
        function (response: any) {
          add("fetch", what, { status: response && response.status, ms: Date.now() - started });
          return response;
        },
        function (error: any) {
          add("fetch", what, { failed: true, ms: Date.now() - started });
          throw error; // handled here alone, it would not be an unhandled rejection any more
        }
      );
    };
  });

  // One for all requests: a browser adds a listener that is there already only once, however often one is opened.
  var over = safely(function (this: any) {
    add("xhr", this.catchwater, { status: this.status });
  });
  around(page.XMLHttpRequest && XMLHttpRequest.prototype, "open", function (original: any) {
    return function (this: any, method: any, address: any) {
      var request = this;
      safely(function () {
        request.catchwater = method + " " + plain(address);
        request.addEventListener("loadend", over);
      })();
      return original.apply(this, arguments);
    };
  });

  ["log", "info", "warn", "error"].forEach(function (level) {
    around(page.console, level, function (original: any) {
      return function (this: any, first: any) {
        safely(function (given: any) {
          var words = [].map.call(given, worded).join(" ");
          add("console", words, { level: level });
          if (level == "error" && config.console && config.sdk) {
            config.report(first && first.stack ? first : words, undefined, "console");
          }
        })(arguments);
        return original.apply(this, arguments);
      };
    });
  });

  addEventListener(
    "error",
    safely(function (event: any) {
      var target = event.target;
      if (!config.resources || !target.localName || event.message) return;
      var place = target.currentSrc || target.src || target.href;
      var message = "Failed to load " + target.localName + " " + place;
      config.report({ name: "ResourceError", message: message, fileName: place }, undefined, "resource");
    }),
    true // failed resources do not bubble
  );
})(window);
