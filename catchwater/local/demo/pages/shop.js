// A small shop with bugs, one for each kind of error a page can make.

class PaymentError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "PaymentError";
  }
}

const shop = {
  priceOf(item) {
    return item.price.amount;
  },
  total(cart) {
    return cart.map(shop.priceOf).reduce((sum, price) => sum + price, 0);
  },
  checkout() {
    return shop.total([{ name: "lamp", price: { amount: 20 } }, { name: "gift card" }]);
  },

  readAnswer(text) {
    return JSON.parse(text);
  },
  pay() {
    try {
      shop.readAnswer("<html>502 Bad Gateway</html>");
    } catch (error) {
      throw new PaymentError("the bank's answer cannot be read", { cause: error });
    }
  },

  async reserve(article) {
    await Promise.resolve();
    throw new RangeError("only 2 left of article " + article);
  },
  giveUp() {
    Promise.reject("no answer from the warehouse");
  },
  order() {
    return fetch("http://" + location.hostname + ":1/orders"); // nobody answers on port 1
  },

  redraw() {
    canvasOfTheCart.draw();
  },
  discount(level) {
    return shop.discount(level + 1) + 1;
  },

  add(element, address) {
    element.src = address;
    document.body.append(element);
    element.onerror = element.onload = () => element.remove();
  },
  showPicture() {
    shop.add(new Image(), "pictures/no-such-lamp.png");
  },
  loadBroken() {
    shop.add(document.createElement("script"), "broken.js");
  },
  // The same server under its other name is another origin for the browser.
  loadStranger() {
    const address = new URL("stranger.js", location.href);
    address.hostname = address.hostname === "localhost" ? "127.0.0.1" : "localhost";
    shop.add(document.createElement("script"), address.href);
  },

  tryCoupon(code) {
    try {
      throw new Error("coupon is not valid");
    } catch (error) {
      catchwater.report(error, { coupon: code });
    }
  },
};
