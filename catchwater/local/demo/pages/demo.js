// The buttons of the demo page, and the small log of what leaves it.

const KINDS = [
  ["nested", "A bug three calls deep", "A property of undefined, inside Array.map.",
    "TypeError: Cannot read properties of undefined (reading 'amount')", () => shop.checkout()],
  ["chained", "An error with a cause", "A class of its own, thrown because of another error.",
    "PaymentError: the bank's answer cannot be read, with the SyntaxError that caused it", () => shop.pay()],
  ["rejection", "A promise nobody catches", "An async function that fails.",
    "RangeError: only 2 left of article 4711", () => void shop.reserve(4711)],
  ["text", "A rejection with a text", "No error object, so no stack: the text is all there is.",
    "no answer from the warehouse", () => shop.giveUp()],
  ["hundred", "One error, a hundred times", "The snippet sends two small reports, not a hundred.",
    "ReferenceError: canvasOfTheCart is not defined, counted 100 times", () => {
      for (let i = 0; i < 100; i++) setTimeout(shop.redraw);
    }, 100],
  ["recursion", "A function that never ends", "The stack is full of one frame.",
    "RangeError: Maximum call stack size exceeded", () => shop.discount(0)],
  ["resource", "A picture that is not there", "The image answers 404.",
    "ResourceError: Failed to load img …/no-such-lamp.png", () => shop.showPicture()],
  ["syntax", "A script with a typo", "It is loaded, but cannot be parsed.",
    "SyntaxError: Unexpected token '=', in broken.js", () => shop.loadBroken()],
  ["stranger", "A script of another origin", "Without crossorigin=anonymous the browser tells nothing of it.",
    "Script error.", () => shop.loadStranger()],
  ["network", "A server that is not there", "fetch fails, and nobody handles it.",
    "TypeError: Failed to fetch", () => void shop.order()],
  ["report", "Caught, and reported by hand", "catchwater.report(error, {coupon: …})",
    "Error: coupon is not valid, with the coupon in its extra", () => shop.tryCoupon("WINTER")],
];

let made = 0;
const put = (id, text) => (document.getElementById(id).textContent = text);

function log(line) {
  const item = document.createElement("li");
  item.textContent = new Date().toLocaleTimeString() + "  " + line;
  const list = document.getElementById("log");
  list.prepend(item);
  while (list.children.length > 7) list.lastChild.remove();
}

function card([id, title, what, expect, act, count = 1]) {
  const article = document.getElementById("kind").content.cloneNode(true).firstElementChild;
  const button = article.querySelector("button");
  let pressed = 0;
  article.querySelector("h2").textContent = title;
  article.querySelector(".what").textContent = what;
  article.querySelector(".expect").textContent = expect;
  button.textContent = count === 1 ? "Break it" : "Break it " + count + " times";
  button.id = id;
  button.addEventListener("click", () => {
    pressed += count;
    put("made", (made += count));
    article.querySelector("output").textContent = "made " + pressed + "×";
    log(title.toLowerCase());
    act();
  });
  return article;
}

document.getElementById("kinds").append(...KINDS.map(card));

// What the browser measured of the snippet's own requests: their address has /e/ in it.
let sent = 0;
if (window.PerformanceObserver) {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!/\/e\/[0-9a-f]{32}(\?|$)/.test(entry.name)) continue;
      put("sent", ++sent);
      put("took", Math.round(entry.duration) + " ms");
      log("sent a report");
    }
  }).observe({ type: "resource", buffered: true });
}
