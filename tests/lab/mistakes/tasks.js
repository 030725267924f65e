import { store, later } from "./store.js";

//: common, property of nothing
export async function awaitsProfile() {
  const profile = await later(null);
  return profile.displayName + "";
}
//: common, property of nothing
export async function awaitsRows() {
  const answer = await later({ ok: true });
  const first = answer.rows[0].title;
  return first + "";
}
//: common, not a function
export async function awaitsMethod() {
  const client = await later({ version: 2 });
  client.connectAll();
  return client;
}
//: common, not iterable
export async function awaitsList() {
  const found = await later({ results: null });
  for (const one of found.results) store.page += one;
}
//: common, destructuring
export async function awaitsPattern() {
  const { data: { invoices } } = await later({});
  return invoices.length;
}
//: common, not defined
export async function awaitsGlobal() {
  await later(1);
  Sentinel.start("checkout");
}
//: common, object expected
export async function awaitsKeys() {
  const answer = await later({});
  const names = Object.keys(answer.translations);
  return names.length;
}
//: common, property of nothing
export function thenOfNothing() {
  later(undefined).then((basket) => basket.entries.length + 1);
}
//: common, not a function
export function thenOfMethod() {
  later({ list: 3 }).then((answer) => answer.list.slice(1) + "");
}
//: common, property of nothing
export function timerOfNothing() {
  setTimeout(() => { store.user.lastSeen = 3; }, 1);
}
//: common, property of nothing
export function listenerOfNothing() {
  const button = document.createElement("button");
  button.addEventListener("click", () => { store.session.clicks += 1; });
  button.click();
}
//: common, property of nothing
export function rowsOfNothing() {
  const widths = [null].map((cell) => cell.clientWidth + 1);
  return widths.length;
}
//: common, not a function
export function eachOfText() {
  ["a"].forEach((word) => { word.capitalize(); });
}
//: common, property of nothing
export function methodOfView() {
  class CartView { render() { const total = this.model.grandTotal; return total + 1; } }
  return new CartView().render() + 1;
}
//: common, property of nothing
export function lostThis() {
  class Search { constructor() { this.term = "x"; } run() { "use strict"; const term = this.term; return term + 1; } }
  const { run } = new Search();
  const done = run();
  return done + 1;
}
//: common, own error
export function throwsError() {
  if (store.cart.lines.length === 0) throw new Error("The cart is empty");
  return 1;
}
//: common, own error
export function throwsWithNumber() {
  if (store.page) throw new Error("Order " + (48000 + store.page) + " was not found");
  return 1;
}
//: common, own error
export function throwsTypeError() {
  if (typeof store.page !== "string") throw new TypeError("page must be a text");
  return 1;
}
//: rare, own error
export function throwsRangeError() {
  if (store.page > 2) throw new RangeError("page is out of range");
  return 1;
}
//: common, own error class
export function throwsOwnClass() {
  class PaymentError extends Error { constructor(text) { super(text); this.name = "PaymentError"; } }
  if (store.page) throw new PaymentError("card was declined");
  return 1;
}
//: rare, own error class
export function throwsClassWithoutName() {
  class StockError extends Error { }
  if (store.page) throw new StockError("out of stock");
  return 1;
}
//: rare, own error class
export function throwsOldStyle() {
  function LoginProblem(text) { this.name = "LoginProblem"; this.message = text; this.stack = new Error(text).stack; }
  LoginProblem.prototype = Object.create(Error.prototype);
  if (store.page) throw new LoginProblem("session is over");
  return 1;
}
//: common, cause
export function throwsWithCause() {
  try {
    store.user.email.toLowerCase();
  } catch (cause) {
    throw new Error("Could not show the profile", { cause });
  }
}
//: rare, rethrown
export function rethrows() {
  let kept;
  try { store.session.token.refresh(); } catch (error) { kept = error; }
  throw kept;
}
//: common, text thrown
export function throwsText() {
  if (store.page) throw "no network";
  return 1;
}
//: rare, object thrown
export function throwsObject() {
  if (store.page) throw { code: "E_STOCK", sku: "A1" };
  return 1;
}
//: common, rejected with a text
export function rejectsText() {
  Promise.reject("login is required");
}
//: common, rejected with an error
export function rejectsError() {
  Promise.reject(new Error("Upload was refused"));
}
//: rare, rejected with an object
export function rejectsObject() {
  Promise.reject({ status: 404, url: "/api/7" });
}
//: rare, rejected with nothing
export function rejectsNothing() {
  Promise.reject(undefined);
}
//: common, rejected after a status
export async function rejectsStatus() {
  const answer = await later({ ok: false, status: 503 });
  if (!answer.ok) throw new Error("Request failed with status code " + answer.status);
}
//: rare, all rejected
export async function allRejected() {
  await Promise.any([Promise.reject(1), Promise.reject(2)]);
}
//: rare, self resolved
export function resolvesItself() {
  let give;
  const promise = new Promise((done) => { give = done; });
  give(promise);
}
//: rare, promise all of nothing
export async function allOfNothing() {
  await Promise.all(store.session);
}
//: rare, for await
export async function loopsAwaiting() {
  for await (const one of store.settings) store.page += one;
}
//: common, invariant
export function invariantOfPlan() {
  invariant(store.plan.limits, "a plan needs limits");
}
//: common, invariant
export function invariantOfUser() {
  invariant(store.user, "somebody must be signed in");
}
//: rare, aggregate
export function throwsAggregate() {
  throw new AggregateError([new Error("a"), new Error("b")], "two steps failed");
}
//: rare, domexception of one's own
export function throwsDomException() {
  throw new DOMException("The dialog was closed", "AbortError");
}
//: rare, eval
export function evaluatesText() {
  const value = (0, eval)("store_of_" + "nobody");
  return value + 1;
}
//: rare, syntax in eval
export function evaluatesBroken() {
  const value = (0, eval)("let a = ;");
  return value + 1;
}
//: rare, new function
export function compilesBroken() {
  const made = new Function("return (");
  return made();
}
//: rare, tagged template
export function tagIsMissing() {
  const css = store.api.css;
  const text = css`colour: ${store.page}`;
  return text + "";
}
//: rare, optional call
export function optionalChain() {
  const value = store.cart?.delivery.street?.name;
  return value + "";
}
//: rare, getter fails
export function getterFails() {
  const view = { get subtotal() { return store.user.balance + 1; } };
  return view.subtotal + 1;
}
//: rare, iterator
export function iteratorIsNone() {
  const rows = { [Symbol.iterator]: 5 };
  const all = [...rows];
  return all.length;
}
//: rare, iterator result
export function iteratorResult() {
  const rows = { [Symbol.iterator]: () => ({ next: () => 3 }) };
  const all = [...rows];
  return all.length;
}
function invariant(condition, text) {
  if (!condition) throw new Error("Invariant failed: " + text);
}
