import { checkoutOrder } from "./shop.js";

export default function App() {
  return (
    <button id="buy" onClick={() => checkoutOrder({ lines: [] })}>
      buy
    </button>
  );
}
