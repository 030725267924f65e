// A page that uses Sentry's SDK as its documentation says, with nothing of Catchwater but the DSN.
import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: new URLSearchParams(location.search).get("dsn"),
  release: "sentry-page@1.0.0",
  environment: "test",
});

class OrderError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "OrderError";
  }
}

const acts = {
  thrown() {
    undefinedFunctionOfTheSentryPage();
  },
  rejected() {
    Promise.reject(new RangeError("a rejection the sentry page does not handle"));
  },
  message() {
    Sentry.captureMessage("a message of the sentry page");
  },
  chained() {
    try {
      JSON.parse("<no json>");
    } catch (cause) {
      Sentry.captureException(new OrderError("an order with a cause", { cause }));
    }
  },
};

for (const [name, act] of Object.entries(acts)) {
  const button = document.createElement("button");
  button.id = name;
  button.textContent = name;
  button.addEventListener("click", act);
  document.body.append(button);
}
