/* Stands in the page itself: hears what happens before the script has come. */
(function (page: any, q: any[]) {
  if (page.catchwater && page.catchwater.q) return;
  var config = (page.catchwater = page.catchwater || {});
  config.q = q;
  config.report = function (error: unknown, extra: unknown) {
    q.push([error, extra]);
  };
  ["error", "unhandledrejection"].forEach(function (type) {
    addEventListener(
      type,
      function (event) {
        if (config.q && q.length < 99) q.push(event);
      },
      true
    );
  });
})(window, []);
