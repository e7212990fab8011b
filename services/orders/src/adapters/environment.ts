/** The environment variables of every part of orders, each of which has a database. */

import { fields, serviceVariables } from "@parallax/service";

export const commonVariables = {
  ...serviceVariables,
  DATABASE_URL: fields.url(["postgres", "postgresql"]),
  DATABASE_POOL_SIZE: fields.integer({ min: 1, max: 200 }).default(10),
};
