import { store, empty } from "./store.js";

//: common, not iterable
export function spreadsSession() {
  const all = [...store.session];
  return all.length;
}
//: common, not iterable
export function loopsOverNothing() {
  let sum = 0;
  for (const filter of store.catalogue.filters) sum += filter.count;
  return sum;
}
//: common, not iterable
export function loopsOverObject() {
  let sum = 0;
  for (const key of store.settings) sum += key;
  return sum;
}
//: common, not iterable
export function stateHook() {
  const [value, setValue] = store.session;
  setValue(value);
}
//: common, not iterable
export function pairOfObject() {
  const [low, high] = store.plan;
  return low + high;
}
//: rare, not iterable
export function mapOfNumbers() {
  const map = new Map([1, 2]);
  return map.size;
}
//: common, not iterable
export function setOfNumber() {
  const set = new Set(store.queue);
  return set.size;
}
//: common, not iterable
export function largestOf() {
  const most = Math.max(...store.user);
  return most + 1;
}
//: rare, not iterable
export function entriesOfTags() {
  const made = Object.fromEntries(store.queue);
  return made + "";
}
//: common, destructuring
export function profileCard() {
  const { avatar } = store.user;
  return avatar + "";
}
//: common, destructuring
export function optionsMissing() {
  function render({ width, height }) { return width * height; }
  const area = render(store.session);
  return area + 1;
}
//: common, destructuring
export function nestedPattern() {
  const { address: { postcode } } = empty;
  return postcode + "";
}
//: rare, destructuring
export function defaultPattern() {
  const { colour = "red", ...others } = store.months;
  return colour + others;
}
//: common, object expected
export function keysOfMissing() {
  const names = Object.keys(store.session);
  return names.length;
}
//: common, object expected
export function entriesOfNull() {
  const rows = Object.entries(store.user);
  return rows.length;
}
//: common, object expected
export function valuesOfMissing() {
  const sums = Object.values(store.catalogue.filters);
  return sums.length;
}
//: rare, object expected
export function assignsToNull() {
  const merged = Object.assign(store.user, { a: 1 });
  return merged + "";
}
//: rare, object expected
export function freezesNothing() {
  const names = Object.getOwnPropertyNames(store.months);
  return names.length;
}
//: common, callback
export function mapsWithObject() {
  const rows = [1, 2].map(store.settings);
  return rows.length;
}
//: common, callback
export function eachWithNothing() {
  [1, 2].forEach(store.api.visit);
  return 1;
}
//: rare, callback
export function filtersWithText() {
  const kept = store.catalogue.items.filter("price");
  return kept.length;
}
//: rare, comparator
export function sortsByText() {
  const sorted = [3, 1].sort("descending");
  return sorted.length;
}
//: rare, promise resolver
export function promiseOfNothing() {
  const waiting = new Promise(store.api.connect);
  return waiting + "";
}
//: rare, empty reduce
export function mostExpensive() {
  const most = store.cart.lines.reduce((one, two) => (one.price > two.price ? one : two));
  return most + "";
}
//: common, frozen
export function changesFrozen() {
  "use strict";
  const config = Object.freeze({ retries: 3 });
  config.retries = 4;
}
//: common, frozen array
export function pushesToFrozen() {
  "use strict";
  const steps = Object.freeze([1, 2]);
  steps.push(3);
  return steps;
}
//: rare, not extensible
export function extendsSealed() {
  "use strict";
  const settings = Object.preventExtensions({ theme: "dark" });
  settings.language = "de";
}
//: rare, getter only
export function setsGetter() {
  "use strict";
  const user = { get fullName() { return "A B"; } };
  user.fullName = "C";
}
//: rare, cannot delete
export function deletesFixed() {
  "use strict";
  const order = Object.freeze({ total: 4 });
  delete order.total;
}
//: rare, property of a primitive
export function propertyOfText() {
  "use strict";
  const title = "Cart" + store.page;
  title.colour = "red";
}
//: rare, cannot redefine
export function redefines() {
  const target = Object.freeze({ version: 1 });
  Object.defineProperty(target, "version", { value: 2 });
  return target;
}
//: common, class extends nothing
export function extendsMissing() {
  class Fancy extends store.api.BaseView { show() { return 1; } }
  return new Fancy();
}
//: rare, class without new
export function classWithoutNew() {
  class Point { constructor() { this.x = 1; } }
  const made = Point();
  return made + "";
}
//: rare, super first
export function superIsMissing() {
  class Base { constructor() { this.a = 1; } }
  class Child extends Base { constructor() { this.b = 2; } }
  return new Child();
}
//: rare, super twice
export function superTwice() {
  class Base { constructor() { this.a = 1; } }
  class Child extends Base { constructor() { super(); super(); } }
  return new Child();
}
//: rare, private member
export function privateOfOther() {
  class Purse { #coins = 3; static look(one) { return one.#coins + 1; } }
  return Purse.look(store.cart) + 1;
}
//: rare, private method
export function privateMethodOfOther() {
  class Purse { #open() { return 1; } static look(one) { return one.#open() + 1; } }
  return Purse.look({ coins: 1 }) + 1;
}
//: rare, abstract
export function superMethodMissing() {
  class Base { }
  class Child extends Base { render() { super.render(); return 1; } }
  return new Child().render() + 1;
}
//: rare, in of a text
export function keyInText() {
  const found = "total" in store.locale;
  return found + 1;
}
//: rare, in of nothing
export function keyInNothing() {
  const found = "total" in store.session;
  return found + 1;
}
//: rare, instanceof nothing
export function instanceOfNothing() {
  const yes = store.cart instanceof store.api.Cart;
  return yes + 1;
}
//: rare, instanceof object
export function instanceOfObject() {
  const yes = store.cart instanceof store.settings;
  return yes + 1;
}
//: rare, generator
export function generatorRunning() {
  function* steps() { yield running.next(); }
  const running = steps();
  running.next();
  return 1;
}
//: common, stack overflow
export function walksForever() {
  function walk(node) { return walk(node) + 1; }
  return walk({}) + 1;
}
//: common, stack overflow
export function pingsForever() {
  const a = { toString() { return b + ""; } };
  const b = { toString() { return a + ""; } };
  return a + "";
}
//: rare, symbol converted
export function symbolInText() {
  const key = Symbol("key");
  return "key: " + key;
}
//: rare, object to primitive
export function objectToText() {
  const bare = Object.create(null);
  return "is " + bare;
}
//: rare, method of another kind
export function dateMethodOfObject() {
  const time = Date.prototype.getTime.call(store.cart);
  return time + 1;
}
//: rare, method of another kind of map
export function mapMethodOfObject() {
  const value = Map.prototype.get.call({}, "a");
  return value + 1;
}
//: rare, called on nothing
export function methodOfNothing() {
  const text = String.prototype.trim.call(undefined);
  return text + "";
}
//: rare, array length
export function negativeLength() {
  const rows = new Array(store.page - 10);
  return rows.length;
}
//: rare, array length set
export function setsLength() {
  const rows = [1, 2];
  rows.length = -store.page;
  return rows;
}
