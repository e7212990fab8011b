/** The yardstick: koa and its router, a JSON body read and parsed, the answer to a bid; nothing else. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Router from "@koa/router";
import Koa from "koa";

const router = new Router();
router.post("/auctions/:id/bids", async (ctx) => {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
  const { amount, bid_id } = JSON.parse(Buffer.concat(chunks).toString()) as {
    amount: number;
    bid_id: string;
  };
  ctx.status = 201;
  ctx.body = { bid_id, seq: 1, amount };
});

const server = createServer(new Koa().use(router.routes()).callback());
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
