/* Stands in the page itself: hears what happens before the script has come. */
(function (page: any, q: any) {
  var config = (page.catchwater = page.catchwater || {});
  if (config.report) return; // a second one, or one behind the script
  config.q = q;
  q.n = 0;
  function hear(event: any) {
    if (config.q && q.n++ < 99) q.push(event);
  }
  config.report = function (error: unknown, extra: unknown) {
    hear([error, extra]);
  };
  addEventListener("error", hear, true);
  addEventListener("unhandledrejection", hear, true);
})(window, []);
