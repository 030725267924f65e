// Makes each mistake in a task of its own, and hands in what the snippet would have sent of it.
addEventListener("load", function () {
  var at = -1;
  var results = {};
  function next() {
    var work = lab[++at];
    if (!work) return handIn();
    heard.length = 0;
    setTimeout(function () { work(); });
    var waited = 0;
    (function look() {
      if (!heard.length && waited < 400) return setTimeout(look, 5, (waited += 5));
      results[names[at]] = heard[0];
      setTimeout(next);
    })();
  }
  function handIn() {
    fetch("/results" + location.search, { method: "POST", body: JSON.stringify(results) })
      .then(function (answer) { return answer.text(); })
      .then(function (address) { if (address) location.href = address; });
  }
  Promise.resolve(window.ready).then(next);
});
