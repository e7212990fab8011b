/** Orders, as customers send them. */

export interface OrderBody {
  readonly order_id: string;
  readonly customer_id: string;
  readonly items: readonly {
    readonly product_id: string;
    readonly quantity: number;
    readonly price: number;
  }[];
}

/** The same id gives the same order, so that a repeated request repeats the order too. */
export function makeOrder(id: string, customer: number): OrderBody {
  return {
    order_id: id,
    customer_id: `customer-${customer}`,
    items: [
      { product_id: `product-${customer % 50}`, quantity: 1 + (customer % 3), price: 19.99 },
      { product_id: "shipping", quantity: 1, price: 4.5 },
    ],
  };
}
