/* Keeps a page up to date: asks for the same page again and swaps in the rows that changed. Scroll, focus,
   a selection and what is unfolded stay. Without it every page works; it only does not move by itself. */
"use strict";
(() => {
  const LONGEST_PAUSE = 5000; // ms between two tries while the dashboard is away
  const SHARE = 4; // an answer that takes long is asked for less often: one part in so many of the time
  const NEWS_EVERY = 10000; // ms between two spoken announcements at least
  const main = document.getElementById("content");
  const button = document.getElementById("live");
  const every = Number(main.dataset.live);
  const skew = Number(document.body.dataset.now) - Date.now(); // this clock may be wrong; the server's counts
  const sources = new WeakMap(); // element -> the HTML the server gave for it, without the words for times
  let etag = null, failures = 0, timer = 0, on = true, spoken = 0, fresh = 0;

  const source = (element) => element.outerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1");
  const keyed = (region) => [...region.children].filter((one) => one.dataset.key !== undefined);
  const rowsOf = (element) => element.matches("[data-rows]") ? element : element.querySelector("[data-rows]");

  function ago(ms) {
    const s = Math.floor(ms / 1000);
    if (s < 1) return "just now";
    if (s < 60) return s + " s ago";
    if (s < 3600) return Math.floor(s / 60) + " min ago";
    if (s < 86400) return Math.floor(s / 3600) + " h ago";
    return Math.floor(s / 86400) + " d ago";
  }

  function local(time) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) return;
    const here = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    time.title = here + " (" + time.title + ")";
    if (!("ago" in time.dataset)) time.textContent = at.toLocaleTimeString(undefined, { hour12: false });
  }

  function tick() {
    const now = Date.now() + skew;
    for (const time of document.querySelectorAll("time[title]:not([data-local])")) {
      time.dataset.local = "";
      local(time);
    }
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const words = ago(now - Date.parse(time.dateTime));
      if (time.textContent !== words) time.textContent = words;
    }
  }

  function learn(element) {
    sources.set(element, source(element));
  }

  function learnAll() {
    for (const region of document.querySelectorAll("[data-region]")) {
      learn(region);
      keyed(region).forEach(learn);
      const rows = rowsOf(region);
      if (rows) keyed(rows).forEach(learn);
    }
  }

  function swapRows(rows, next) {
    const old = new Map(keyed(rows).map((row) => [row.dataset.key, row]));
    let place = rows.firstElementChild;
    for (const wanted of keyed(next)) {
      const known = old.get(wanted.dataset.key);
      old.delete(wanted.dataset.key);
      const text = source(wanted);
      let row = known;
      if (!known || sources.get(known) !== text) {
        row = document.importNode(wanted, true);
        sources.set(row, text);
        if (!known) { row.classList.add("fresh"); fresh += 1; }
        if (known) { if (place === known) place = row; known.replaceWith(row); }
      }
      if (row === place) place = place.nextElementSibling;
      else rows.insertBefore(row, place);
    }
    for (const gone of old.values()) gone.remove();
  }

  function swap(region, next) {
    const text = source(next);
    if (sources.get(region) === text) return;
    const rows = rowsOf(region), nextRows = rowsOf(next);
    if (rows && nextRows) {
      swapRows(rows, nextRows);
      swapHead(region, next);
    } else {
      region.replaceChildren(...document.importNode(next, true).childNodes);
      const arrived = rowsOf(region);
      if (arrived) keyed(arrived).forEach((row) => { learn(row); row.classList.add("fresh"); fresh += 1; });
    }
    sources.set(region, text);
  }

  function swapHead(region, next) {
    const head = region.querySelector("thead"), nextHead = next.querySelector("thead");
    if (head && nextHead && head.outerHTML !== nextHead.outerHTML) head.replaceWith(document.importNode(nextHead, true));
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const focused = document.activeElement, href = focused && focused.getAttribute("href");
    fresh = 0;
    for (const region of document.querySelectorAll("[data-region]")) {
      const next = page.querySelector(`[data-region="${region.dataset.region}"]`);
      if (next) swap(region, next);
    }
    if (href && document.activeElement !== focused) {
      const same = main.querySelector(`a[href="${CSS.escape(href)}"]`);
      if (same) same.focus({ preventScroll: true });
    }
    tick();
    announce();
  }

  function announce() {
    if (!fresh || Date.now() - spoken < NEWS_EVERY) return;
    spoken = Date.now();
    document.getElementById("news").textContent = fresh === 1 ? "1 new line" : fresh + " new lines";
  }

  const selecting = () => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  };

  async function look() {
    if (document.hidden || selecting()) return;
    const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(8000) });
    if (answer.status === 404 || answer.status === 400) return stop();
    if (!answer.ok) throw new Error("status " + answer.status);
    const tag = answer.headers.get("ETag");
    if (tag && tag === etag) return;
    show(await answer.text());
    etag = tag;
  }

  async function turn() {
    const began = performance.now();
    try {
      await look();
      failures = 0;
    } catch {
      failures += 1;
    }
    paint();
    const took = performance.now() - began;
    if (on) timer = setTimeout(turn, Math.min(LONGEST_PAUSE, Math.max(every * (1 + failures), took * SHARE)));
  }

  function paint() {
    button.classList.toggle("trying", failures > 0);
    button.setAttribute("aria-pressed", String(on));
    const word = !on ? "Paused" : failures > 0 ? "Trying to reach the dashboard" : "Live";
    const place = button.querySelector(".word");
    if (place.textContent !== word) place.textContent = word;
    button.title = on ? "This page keeps itself up to date. Press to pause." : "Press to go on.";
  }

  function stop() {
    on = false;
    clearTimeout(timer);
  }

  function startLive() {
    learnAll();
    button.hidden = false;
    paint();
    button.addEventListener("click", () => {
      if (on) { stop(); paint(); } else { on = true; clearTimeout(timer); turn(); }
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && on) { clearTimeout(timer); turn(); }
    });
    timer = setTimeout(turn, every);
  }

  for (const choice of document.querySelectorAll("[data-submits]")) {
    choice.addEventListener("change", () => choice.form.requestSubmit());
  }
  if (every) startLive(); // learns what the server gave before times become the reader's
  tick();
  setInterval(tick, 1000);
})();
