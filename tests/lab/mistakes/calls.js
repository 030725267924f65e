import { store, later } from "./store.js";

// In strict code, WebKit forgets a function that ends with `return call()` before it makes the call.

//: common, json
export function readsSettings() {
  return JSON.parse(store.answer);
}
//: common, object expected
export function namesOfSession() {
  return Object.keys(store.session);
}
//: common, not a function
export function formatsTotal() {
  return store.cart.format("EUR");
}
//: common, invalid date
export function dateForServer() {
  return new Date("tomorrow").toISOString();
}
//: common, own error
export function delegatesToCheck() {
  return checked(store.page);
}
//: common, invalid url
export function addressOf() {
  return new URL("cart/7");
}
//: rare, malformed uri
export function queryOf() {
  return decodeURIComponent("%E0%A4%A");
}
//: rare, base64
export function tokenOf() {
  return atob("*");
}
//: common, node expected
export function attachesPanel() {
  return document.body.append(store.cart) || document.body.appendChild(store.user);
}
//: common, property of nothing
export function nameOfGuest() {
  return nameOf(store.user);
}
//: common, property of nothing
export function loadsInArrow() {
  const load = async (id) => {
    const order = await later(null, id);
    const total = order.sum + 1;
    return total;
  };
  load(1);
}
//: common, property of nothing
export function handlesInArrow() {
  const handle = async () => store.session.order.id + 1;
  handle();
}
function checked(page) {
  if (page > 2) throw new Error("There is no such page");
  return page;
}
function nameOf(guest) {
  return guest.displayTitle + "";
}
