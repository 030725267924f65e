import { store, later } from "./store.js";

//: common, selector
export function badSelector() {
  const found = document.querySelector("#" + store.queue);
  return found + "";
}
//: rare, selector
export function badSelectorOfMatches() {
  const yes = document.body.matches("a[href=");
  return yes + "";
}
//: rare, selector
export function badSelectorOfClosest() {
  const card = document.body.closest("..card");
  return card + "";
}
//: common, node expected
export function appendsNull() {
  document.body.appendChild(document.getElementById("toast"));
  return 1;
}
//: common, node expected
export function appendsText() {
  document.body.appendChild("<p>Saved</p>");
  return 1;
}
//: common, observed node
export function observesNull() {
  new MutationObserver(() => 0).observe(document.querySelector(".feed"), { childList: true });
  return 1;
}
//: common, observed node
export function observesNullSeen() {
  new IntersectionObserver(() => 0).observe(document.querySelector(".sentinel"));
  return 1;
}
//: common, style of nothing
export function styleOfNull() {
  const style = getComputedStyle(document.querySelector(".hero"));
  return style + "";
}
//: common, not a child
export function removesStranger() {
  document.body.removeChild(document.createElement("p"));
  return 1;
}
//: common, not a child
export function insertsBeforeStranger() {
  document.body.insertBefore(document.createElement("p"), document.createElement("i"));
  return 1;
}
//: rare, hierarchy
export function appendsParent() {
  const inner = document.createElement("p");
  document.createElement("div").appendChild(inner);
  inner.appendChild(inner.parentNode);
  return 1;
}
//: rare, character
export function badTagName() {
  const made = document.createElement("<div>");
  return made + "";
}
//: rare, attribute
export function badAttribute() {
  document.body.setAttribute("1 2", "x");
  return 1;
}
//: rare, class token
export function spaceInClass() {
  document.body.classList.add("is open");
  return 1;
}
//: rare, class token
export function emptyClass() {
  document.body.classList.add("");
  return 1;
}
//: rare, event
export function dispatchesText() {
  document.body.dispatchEvent("click");
  return 1;
}
//: rare, listener
export function listensWithText() {
  window.addEventListener("resize", "layout");
  return 1;
}
//: rare, too few arguments
export function tooFewArguments() {
  const found = document.getElementById();
  return found + "";
}
//: rare, too few arguments
export function attributeWithoutValue() {
  document.body.setAttribute("title");
  return 1;
}
//: common, illegal invocation
export function looseQuery() {
  const ask = document.querySelector;
  const found = ask("body");
  return found + "";
}
//: rare, illegal invocation
export function borrowedGetter() {
  const seen = Object.getOwnPropertyDescriptor(Node.prototype, "firstChild").get.call({});
  return seen + "";
}
//: rare, constructor
export function newElement() {
  const made = new HTMLElement();
  return made + "";
}
//: rare, constructor without new
export function callsImageData() {
  const made = Event("click");
  return made + "";
}
//: rare, clone
export function storesFunction() {
  history.pushState({ done() { return 1; } }, "");
  return 1;
}
//: rare, clone
export function clonesNode() {
  const copy = structuredClone({ node: document.body });
  return copy + "";
}
//: rare, clone
export function postsFunction() {
  window.postMessage({ callback: () => 1 }, "*");
  return 1;
}
//: rare, target origin
export function postsToNowhere() {
  window.postMessage("hi", "not an origin");
  return 1;
}
//: rare, history of another origin
export function pushesForeign() {
  history.pushState({}, "", "https://other.example/");
  return 1;
}
//: common, base64
export function decodesBase64() {
  const text = atob("not*base64");
  return text + "";
}
//: rare, base64
export function encodesUnicode() {
  const text = btoa("price: 5 €");
  return text + "";
}
//: common, invalid url
export function urlOfPath() {
  const url = new URL("/cart");
  return url + "";
}
//: common, invalid url
export function urlOfNothing() {
  const url = new URL(store.session);
  return url + "";
}
//: rare, canvas
export function canvasOfNothing() {
  document.createElement("canvas").getContext("2d").drawImage(store.user, 0, 0);
  return 1;
}
//: rare, canvas
export function imageDataOfZero() {
  const data = document.createElement("canvas").getContext("2d").getImageData(0, 0, 0, 0);
  return data + "";
}
//: rare, canvas
export function negativeArc() {
  document.createElement("canvas").getContext("2d").arc(0, 0, -5, 0, 1);
  return 1;
}
//: rare, canvas
export function badColourStop() {
  const context = document.createElement("canvas").getContext("2d");
  context.createLinearGradient(0, 0, 1, 1).addColorStop(2, "red");
  return 1;
}
//: rare, range
export function rangeBeyond() {
  const range = document.createRange();
  range.setStart(document.body, 9999);
  return range;
}
//: rare, storage
export function fillsStorage() {
  localStorage.setItem("cache", "x".repeat(20000000));
  return 1;
}
//: rare, xhr
export function sendsUnopened() {
  const request = new XMLHttpRequest();
  request.send();
  return 1;
}
//: rare, xhr
export function badMethod() {
  const request = new XMLHttpRequest();
  request.open("GET IT", "/x");
  return 1;
}
//: rare, xhr header
export function badHeader() {
  const request = new XMLHttpRequest();
  request.open("GET", "/x");
  request.setRequestHeader("a b", "c");
  return 1;
}
//: rare, headers
export function badHeaders() {
  const headers = new Headers({ "not valid": "1" });
  return headers + "";
}
//: rare, socket
export function badSocket() {
  const socket = new WebSocket("ftp://shop.example");
  return socket + "";
}
//: rare, blob url
export function objectUrlOfNull() {
  const address = URL.createObjectURL(store.user);
  return address + "";
}
//: rare, file reader
export function readsNothing() {
  new FileReader().readAsText(store.user);
  return 1;
}
//: rare, custom element
export function badElementName() {
  customElements.define("fancy", class extends HTMLElement { });
  return 1;
}
//: rare, shadow
export function shadowTwice() {
  const host = document.createElement("div");
  host.attachShadow({ mode: "open" });
  host.attachShadow({ mode: "open" });
  return 1;
}
//: rare, animate
export function animatesBadly() {
  document.body.animate([{ opacity: 1 }], { duration: -5 });
  return 1;
}
//: rare, random
export function randomOfFloats() {
  const made = crypto.getRandomValues(new Float32Array(2));
  return made + "";
}
//: rare, media
export function volumeOfEleven() {
  const sound = document.createElement("audio");
  sound.volume = 11;
  return 1;
}
//: rare, adjacent
export function badPosition() {
  document.body.insertAdjacentHTML("inside", "<p>");
  return 1;
}
//: rare, xml
export function evaluatesXPath() {
  const found = document.evaluate("//[", document, null, 0, null);
  return found + "";
}
//: common, fetch failed
export async function loadsFromNowhere() {
  const answer = await fetch("http://127.0.0.1:1/api/cart");
  return answer.status;
}
//: common, json
export async function htmlForJson() {
  const answer = await fetch("/page.html");
  const cart = await answer.json();
  return cart.total;
}
//: rare, body twice
export async function readsBodyTwice() {
  const answer = await fetch("/page.html");
  await answer.text();
  const again = await answer.text();
  return again;
}
//: common, aborted
export async function abortsFetch() {
  const controller = new AbortController();
  const waiting = fetch("/page.html", { signal: controller.signal });
  controller.abort();
  await waiting;
}
//: rare, timeout
export async function timesOut() {
  await fetch("/slow", { signal: AbortSignal.timeout(5) });
}
//: rare, fetch of a bad url
export async function fetchesBadUrl() {
  const answer = await fetch("http://");
  return answer.status;
}
//: rare, fetch with a body
export async function getsWithBody() {
  const answer = await fetch("/page.html", { method: "GET", body: "x" });
  return answer.status;
}
//: common, module did not load
export async function importsMissing() {
  const load = new Function("at", "return import(at)");
  const made = await load("/missing-chunk.js");
  return made;
}
//: rare, database
export async function oldDatabase() {
  indexedDB.open("shop", 0);
  await later(1);
}
