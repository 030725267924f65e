import * as Sentry from "@sentry/solid";
import { render } from "solid-js/web";
import { dsn, release } from "./settings.js";
import { checkoutOrder } from "./shop.js";

Sentry.init({ dsn, release });

function App() {
  return (
    <button id="buy" onClick={() => checkoutOrder({ lines: [] })}>
      buy
    </button>
  );
}

render(() => <App />, document.all.app);
