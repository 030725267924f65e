"use client";
import { checkoutOrder } from "../shop.js";

export default function Page() {
  return (
    <button id="buy" onClick={() => checkoutOrder({ lines: [] })}>
      buy
    </button>
  );
}
