/* Single keys for the list: j and k go from issue to issue, / to the search, ? says so. Everything works without
   them, too; and whoever speaks to the computer, or types by accident, can turn them off (WCAG 2.1.4). */
"use strict";
(() => {
  const dialog = document.getElementById("keys");
  const button = document.getElementById("show-keys");
  const choice = document.getElementById("keys-on");
  const OFF = "catchwater-keys-off";
  const stored = (change) => {
    try { return change(localStorage); } catch { return null; } // a browser may forbid it
  };

  const links = () => [...document.querySelectorAll("[data-rows] > * a:first-of-type")]
    .filter((one, i, all) => all.findIndex((other) => other.closest("[data-rows] > *") === one.closest("[data-rows] > *")) === i);

  function step(by) {
    const all = links();
    const row = document.activeElement.closest("[data-rows] > *");
    const here = all.findIndex((one) => row && row.contains(one));
    const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }

  const actions = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => { const box = document.querySelector("input[type=search]"); if (box) box.select(); else location.href = "/"; },
    "?": () => dialog.showModal(),
  };

  const typing = (element) => element.closest("input, select, textarea, [contenteditable], dialog");

  document.addEventListener("keydown", (event) => {
    const act = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !choice.checked || typing(event.target)) return;
    event.preventDefault();
    act();
  });
  choice.checked = stored((store) => store.getItem(OFF)) === null;
  choice.addEventListener("change", () => stored((store) => choice.checked ? store.removeItem(OFF) : store.setItem(OFF, "1")));
  button.addEventListener("click", () => dialog.showModal());
  button.hidden = false;
})();
