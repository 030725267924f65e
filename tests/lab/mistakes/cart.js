import { store, empty } from "./store.js";

//: common, property of nothing
export function greetCustomer() {
  const name = store.user.firstName;
  return "Hello " + name;
}
//: common, property of nothing
export function showDiscount() {
  const label = store.cart.coupon.percentage + " %";
  document.title = label;
}
//: common, property of nothing
export function firstLine() {
  const line = store.cart.lines[0];
  document.title = line.quantity;
}
//: common, property of nothing
export function cheapestOffer() {
  const found = store.catalogue.items.find((item) => item.price > 100);
  return found.supplier + "!";
}
//: common, property of nothing
export function deepSetting() {
  const size = store.settings.display.theme.fontSize;
  return size + 1;
}
//: common, property of nothing
export function markPaid() {
  store.session.paidAt = 1700000000;
  return true;
}
//: common, property of nothing
export function addToWishlist(item) {
  store.user.wishlist.push(item);
  return store.user;
}
//: common, call of nothing
export function trimNickname() {
  const nick = store.settings.nickname.trim();
  return nick + "";
}
//: common, property of nothing
export function limitsOfPlan() {
  const most = store.plan.limits.seats;
  return most * 2;
}
//: common, property of nothing
export function countFilters() {
  const count = store.catalogue.filters.length;
  return count + 1;
}
//: common, property of nothing
export function stateOfOrder() {
  const states = new Map([["open", { colour: "blue" }]]);
  const colour = states.get("closed").colour;
  return colour + "";
}
//: common, property of nothing
export function lastTicket() {
  const subject = store.tickets[store.tickets.length - 1].subject;
  return subject + "";
}
//: common, call of nothing
export function upperCaseCity() {
  const address = { street: "Hill Road 1" };
  const shown = address.city.toUpperCase();
  return shown + "";
}
//: common, call of nothing
export function splitPhone() {
  const parts = empty.phone.split("-");
  return parts[0] + "";
}
//: common, property of nothing
export function previewImage() {
  const image = document.querySelector(".preview img.large");
  image.src = "/large.png";
}
//: common, property of nothing
export function fillTotals() {
  document.getElementById("grand-total").textContent = "12.00";
}
//: common, call of nothing
export function wireButton() {
  document.querySelector("#buy-now").addEventListener("click", () => 0);
}
//: common, call of nothing
export function openMenu() {
  document.getElementById("menu-left").classList.add("open");
}
//: common, property of nothing
export function measureBanner() {
  const height = document.querySelector(".banner").offsetHeight;
  return height + 4;
}
//: common, property of nothing
export function priceOfVariant() {
  const variants = { small: { net: 5 } };
  const { net } = variants.small;
  return variants.large.gross + net;
}
//: common, property of nothing
export function nameOfFirstMatch() {
  const found = /(\d+)-(\w+)/.exec("no number here");
  return "id " + found.groups;
}
//: rare, computed property of nothing
export function partOfMatch() {
  const found = "plain".match(/(\d+)/);
  const part = found[1];
  return part + "";
}
//: rare, computed property of nothing
export function salesOfMonth() {
  const month = "may";
  const sold = store.months[month];
  return sold + 1;
}
//: common, property of nothing
export function toggleTwice() {
  const panel = window.sidePanel;
  panel.visible = !panel.visible;
}
//: common, property of nothing
export function incrementViews() {
  const stats = store.statistics;
  stats.views += 1;
}
//: rare, property of nothing
export function removeDraft() {
  delete store.user.draft;
  return 1;
}
//: common, not a function
export function saveCart() {
  store.cart.persist();
  return store.cart;
}
//: common, not a function
export function mapObject() {
  const rows = store.cart.map((line) => line.price);
  return rows.length;
}
//: common, not a function
export function sumOfNumber() {
  const total = store.queue.reduce((sum, one) => sum + one, 0);
  return total + 0;
}
//: common, not a function
export function callsRoute() {
  const target = store.routes.about();
  return target + "";
}
//: common, not a function
export function joinTags() {
  const text = store.tags.list.join(", ");
  return text + "";
}
//: common, not a function
export function runCallback() {
  const options = { onDone: "reload" };
  options.onDone(3);
  return options;
}
//: common, not a function
export function oldApi() {
  window.analyticsV1 = { version: 1 };
  window.analyticsV1.trackPageview("/cart");
  return 2;
}
//: common, not a function
export function callsParameter() {
  const notify = store.settings.notify;
  notify("saved");
  return 1;
}
//: common, not a function
export function callsResult() {
  const unsubscribe = store.cart.id;
  const stopped = unsubscribe();
  return stopped + 1;
}
//: common, not a function
export function filterNodes() {
  const cells = document.querySelectorAll("td");
  const shown = cells.filter((cell) => cell.hidden);
  return shown.length;
}
//: common, not a function
export function forEachChild() {
  document.body.children.forEach((child) => child.remove());
  return 1;
}
//: common, not a function
export function formatsNumber() {
  const price = "12.5";
  const text = price.toFixed(2);
  return text + "";
}
//: common, not a function
export function startsWithNumber() {
  const code = store.page;
  if (code.startsWith("3")) return 1;
  return 2;
}
//: common, not a function
export function missingMethodOfClass() {
  class Basket { add() { return 1; } }
  const basket = new Basket();
  basket.addAll([1]);
  return basket;
}
//: rare, not a constructor
export function newOfObject() {
  const made = new store.settings();
  return made + "";
}
//: common, not a constructor
export function newOfMissing() {
  const Chart = window.ChartLibrary;
  const chart = new Chart("sales");
  return chart + "";
}
//: rare, not a constructor
export function newOfArrow() {
  const Row = () => ({});
  store.row = new Row(1);
  return store.row;
}
//: common, not defined
export function jqueryIsMissing() {
  jQuery(".cart").hide();
  return 1;
}
//: common, not defined
export function gtagIsMissing() {
  gtag("event", "purchase");
  return 1;
}
//: common, not defined
export function typoInVariable() {
  const quantity = 3;
  return quantitty * 2 + quantity;
}
//: common, not defined
export function processIsMissing() {
  const mode = process.env.NODE_ENV;
  return mode + "";
}
//: common, not defined
export function globalConfig() {
  const base = SHOP_CONFIG.baseUrl;
  return base + "/";
}
//: common, not defined
export function stripeIsMissing() {
  const stripe = Stripe("pk_test");
  return stripe + "";
}
//: rare, used before initialised
export function usesBeforeLet() {
  const shown = width + 1;
  let width = Math.random();
  return shown + width;
}
//: rare, used before initialised
export function classBeforeUse() {
  const one = new Coupon();
  class Coupon { constructor() { this.x = Math.random(); } }
  return one;
}
