// What every app of this folder throws: the page's button calls it.
export function checkoutOrder(order) {
  const cart = { lines: order.lines };
  if (cart.lines.length > 3) return cart;
  return order.missing.lines.map((line) => line.price);
}
