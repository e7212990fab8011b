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

/** The id that an answer names; undefined for an answer that is not what was promised: it is recorded all the same, and judged. */
export function answeredId(body: unknown): string | undefined {
  const order_id = parsed(body)?.order_id;
  return typeof order_id === "string" ? order_id : undefined;
}

/** The same of an answer that is to be a completed order. */
export function completedId(body: unknown): string | undefined {
  return parsed(body)?.status === "completed" ? answeredId(body) : undefined;
}

function parsed(body: unknown): { order_id?: unknown; status?: unknown } | undefined {
  try {
    return JSON.parse(String(body)) as { order_id?: unknown; status?: unknown };
  } catch {
    return undefined;
  }
}
