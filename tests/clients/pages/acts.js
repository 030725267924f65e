// What each page of the table does, whatever SDK it has: one error of each kind.
class OrderError extends Error {
  constructor(message) {
    super(message);
    this.name = "OrderError";
  }
}

function checkoutOrder(order) {
  return order.missing.lines;
}

function refusedOrder() {
  throw new OrderError("the order was refused");
}

function offer(name, act) {
  const button = document.createElement("button");
  button.id = button.textContent = name;
  button.addEventListener("click", () => act());
  document.body.append(button);
}

export function offerAll(sdk) {
  offer("thrown", () => {
    checkoutOrder({ lines: [] });
  });
  offer("rejected", function sellOut() {
    Promise.reject(new RangeError("only 2 left of the article"));
  });
  offer("captured", () => {
    try {
      refusedOrder();
    } catch (error) {
      sdk.capture(error);
    }
  });
  offer("message", sdk.message);
}
