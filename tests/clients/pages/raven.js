// A page with Raven, Sentry's SDK until 2018.
import Raven from "sdk";
import { offerAll } from "./acts.js";

Raven.config(window.dsn, { release: "shop@1.4.2", environment: "test" }).install();

offerAll({
  capture(error) {
    Raven.setUserContext({ id: "4711" });
    const told = { level: "warning", tags: { plan: "pro" }, extra: { order: 17 } };
    Raven.captureException(error, told);
    Raven.setUserContext();
  },
  message() {
    Raven.captureMessage("a message of the page", { level: "info" });
  },
});
