// What the shop's pages know. Much of it is not there yet: that is where mistakes come from.
export const store = {
  user: null, session: undefined, cart: { id: 7, lines: [], coupon: null, currency: "EUR" },
  catalogue: { items: [{ sku: "A1", price: 12 }], filters: undefined }, settings: {}, tickets: [],
  plan: { name: "basic", limits: null }, routes: { home: "/", about: 7 }, queue: 42, tags: { list: 5 },
  api: {}, locale: "en", answer: "<!doctype html><title>Sign in</title>", page: 3, months: null,
};
export const empty = {};
export function later(value, ms = 1) { return new Promise((done) => setTimeout(done, ms, value)); }
