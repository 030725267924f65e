import { store } from "./store.js";

//: common, json
export function parsesHtml() {
  const data = JSON.parse(store.answer);
  return data + "";
}
//: common, json
export function parsesNothing() {
  const data = JSON.parse(store.session);
  return data + "";
}
//: common, json
export function parsesEmpty() {
  const data = JSON.parse("");
  return data + "";
}
//: common, json
export function parsesCut() {
  const data = JSON.parse('{"lines":[{"sku":"A');
  return data + "";
}
//: common, json
export function parsesObject() {
  const data = JSON.parse(store.cart);
  return data + "";
}
//: rare, json
export function parsesSingleQuotes() {
  const data = JSON.parse("{'a':1}");
  return data + "";
}
//: rare, json
export function parsesComma() {
  const data = JSON.parse('{"a":1,}');
  return data + "";
}
//: rare, json
export function parsesTwice() {
  const data = JSON.parse('{"a":1}{"b":2}');
  return data + "";
}
//: rare, json
export function parsesNewline() {
  const data = JSON.parse('{"note":"a\nb"}');
  return data + "";
}
//: common, circular
export function stringifiesCircle() {
  const parent = { name: "root" };
  parent.child = { parent };
  const text = JSON.stringify(parent);
  return text + "";
}
//: rare, bigint in json
export function stringifiesBigInt() {
  const text = JSON.stringify({ id: BigInt(5) });
  return text + "";
}
//: rare, malformed uri
export function decodesPercent() {
  const text = decodeURIComponent("100%");
  return text + "";
}
//: rare, malformed uri
export function encodesSurrogate() {
  const text = encodeURIComponent("\ud83d");
  return text + "";
}
//: rare, toFixed
export function tooManyDigits() {
  const text = (12.5).toFixed(101 + store.page);
  return text + "";
}
//: rare, toPrecision
export function precisionZero() {
  const text = (12.5).toPrecision(store.page - 3);
  return text + "";
}
//: rare, radix
export function radixOne() {
  const text = (255).toString(store.page - 2);
  return text + "";
}
//: rare, repeat
export function repeatsMinus() {
  const line = "-".repeat(store.page - 9);
  return line + "";
}
//: rare, normalise
export function normalises() {
  const text = "é".normalize("NFX");
  return text + "";
}
//: rare, code point
export function codePoint() {
  const text = String.fromCodePoint(-store.page);
  return text + "";
}
//: common, invalid date
export function isoOfInvalid() {
  const text = new Date("yesterday").toISOString();
  return text + "";
}
//: common, invalid date
export function formatsInvalid() {
  const text = new Intl.DateTimeFormat("en").format(new Date(NaN));
  return text + "";
}
//: rare, time zone
export function zoneOfNowhere() {
  const text = new Date().toLocaleString("en", { timeZone: "Mars/Olympus" });
  return text + "";
}
//: rare, language tag
export function badLocale() {
  const text = (5).toLocaleString("en_US");
  return text + "";
}
//: rare, currency
export function badCurrency() {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: "EURO" });
  return format + "";
}
//: rare, currency missing
export function noCurrency() {
  const format = new Intl.NumberFormat("en", { style: "currency" });
  return format + "";
}
//: rare, intl option
export function badStyle() {
  const format = new Intl.DateTimeFormat("en", { dateStyle: "tiny" });
  return format + "";
}
//: rare, intl digits
export function badDigits() {
  const format = new Intl.NumberFormat("en", { maximumFractionDigits: 200 });
  return format + "";
}
//: rare, intl unit
export function badUnit() {
  const format = new Intl.NumberFormat("en", { style: "unit", unit: "furlong" });
  return format + "";
}
//: rare, intl unit
export function relativeUnit() {
  const text = new Intl.RelativeTimeFormat("en").format(-1, "fortnight");
  return text + "";
}
//: rare, plural
export function badPlural() {
  const rules = new Intl.PluralRules("en", { type: "nominal" });
  return rules + "";
}
//: rare, regular expression
export function openBracket() {
  const pattern = new RegExp("[" + store.locale);
  return pattern + "";
}
//: rare, regular expression
export function openGroup() {
  const pattern = new RegExp("(" + store.locale);
  return pattern + "";
}
//: common, regular expression
export function searchesStar() {
  const pattern = new RegExp("*" + store.locale);
  return pattern + "";
}
//: rare, regular expression flags
export function badFlags() {
  const pattern = new RegExp("a", "gx");
  return pattern + "";
}
//: rare, match all
export function matchesAll() {
  const found = "a b".matchAll(/a/);
  return found + "";
}
//: rare, regex as text
export function startsWithPattern() {
  const yes = store.locale.startsWith(/e/);
  return yes + 1;
}
//: rare, mixed bigint
export function mixesBigInt() {
  const total = BigInt(5) + store.page;
  return total + 1;
}
//: rare, bigint of a fraction
export function bigIntOfFraction() {
  const big = BigInt(store.page / 2);
  return big + "";
}
//: rare, bigint of a text
export function bigIntOfText() {
  const big = BigInt("12 EUR");
  return big + "";
}
//: rare, bigint by zero
export function bigIntByZero() {
  const big = BigInt(store.page) / BigInt(store.page - 3);
  return big + "";
}
//: rare, bigint math
export function mathOfBigInt() {
  const big = Math.max(BigInt(store.page), 1);
  return big + 1;
}
//: rare, typed array
export function negativeTyped() {
  const bytes = new Uint8Array(store.page - 9);
  return bytes.length;
}
//: rare, typed array
export function alignedTyped() {
  const floats = new Float32Array(new ArrayBuffer(7));
  return floats.length;
}
//: rare, typed array set
export function setsTooMuch() {
  const bytes = new Uint8Array(2);
  bytes.set([1, 2, 3], 1);
  return bytes;
}
//: rare, data view
export function readsPastEnd() {
  const view = new DataView(new ArrayBuffer(2));
  const number = view.getUint32(0);
  return number + 1;
}
//: rare, weak key
export function weakMapOfText() {
  const seen = new WeakMap();
  seen.set("user", 1);
  return seen;
}
//: rare, proxy
export function proxyOfText() {
  const proxy = new Proxy("text", {});
  return proxy + "";
}
//: rare, revoked proxy
export function revokedProxy() {
  const made = Proxy.revocable({}, {});
  made.revoke();
  return made.proxy.total + 1;
}
//: rare, proxy trap
export function proxyTrap() {
  "use strict";
  const guarded = new Proxy({}, { set: () => false });
  guarded.total = 4;
}
//: rare, symbol constructor
export function newSymbol() {
  const key = new Symbol("a");
  return key + "";
}
//: rare, prototype cycle
export function prototypeCycle() {
  const child = Object.create({});
  Object.setPrototypeOf(Object.getPrototypeOf(child), child);
  return child;
}
//: rare, apply
export function appliesText() {
  const most = Math.max.apply(null, store.locale);
  return most + 1;
}
//: rare, define on text
export function definesOnText() {
  Object.defineProperty(store.locale, "a", { value: 1 });
  return 1;
}
//: rare, descriptor
export function bothKinds() {
  const made = Object.defineProperty({}, "a", { get() { return 1; }, value: 1 });
  return made;
}
//: rare, getter of text
export function getterOfText() {
  const made = Object.defineProperty({}, "a", { get: "total" });
  return made;
}
//: rare, create
export function createsOfNothing() {
  const made = Object.create(store.session);
  return made + "";
}
