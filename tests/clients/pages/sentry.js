// What all generations of @sentry/browser have, and the SDKs of frameworks, which build on it.
import * as Sentry from "sdk";
import { offerAll } from "./acts.js";

export const options = { dsn: window.dsn, release: "shop@1.4.2", environment: "test" };

offerAll({
  capture(error) {
    Sentry.withScope((scope) => {
      scope.setLevel("warning");
      scope.setTag("plan", "pro");
      scope.setUser({ id: "4711" });
      scope.setExtra("order", 17);
      Sentry.captureException(error);
    });
  },
  message() {
    Sentry.captureMessage("a message of the page", "info");
  },
});
