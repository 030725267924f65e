// @sentry/vue is the app's handler of errors: here of what a component's own handler throws.
import * as Sentry from "sdk";
import { createApp, h } from "vue";
import { options } from "./sentry.js";

function Basket(order) {
  return order.missing.lines;
}

const app = createApp({
  render: () => h("button", { id: "component", onClick: () => Basket({}) }, "component"),
});
Sentry.init({ ...options, app });
app.mount(document.body.appendChild(document.createElement("div")));
