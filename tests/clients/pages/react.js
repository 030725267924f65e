// A boundary of @sentry/react catches what a component throws.
import * as React from "react";
import * as ReactDOM from "mount";
import * as Sentry from "sdk";
import { options } from "./sentry.js";

function Basket({ order }) {
  return React.createElement("p", null, order.missing.lines);
}

function Shop() {
  const [open, setOpen] = React.useState(false);
  const button = { id: "component", onClick: () => setOpen(true) };
  return open
    ? React.createElement(Basket, { order: {} })
    : React.createElement("button", button, "component");
}

Sentry.init(options);
const place = document.body.appendChild(document.createElement("div"));
const sorry = { fallback: React.createElement("p", null, "sorry") };
const shop = React.createElement(Sentry.ErrorBoundary, sorry, React.createElement(Shop));
if (ReactDOM.createRoot) ReactDOM.createRoot(place).render(shop);
else ReactDOM.render(shop, place);
