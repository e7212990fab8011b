/**
 * Every image of the lab: the official one, the variable that names another, and the one that `make images` builds from
 * packages for the same purpose. The compose files repeat the official names as defaults; a test compares the two.
 */

export interface BackingImage {
  /** The variable in the compose files, which also the user may set. */
  readonly variable: BackingImageVariable;
  /** Pinned, with the registry's default host. */
  readonly official: string;
  /** Built here by `make images`, on a base made from Debian's packages. */
  readonly packaged: string;
}

export const backingImageVariables = [
  "LOCALSTACK_IMAGE",
  "MINISTACK_IMAGE",
  "REDIS_IMAGE",
  "NATS_IMAGE",
  "POSTGRES_IMAGE",
  "HAPROXY_IMAGE",
] as const;
export type BackingImageVariable = (typeof backingImageVariables)[number];

export const backingImages = {
  // The last version that starts without an account token.
  localstack: {
    variable: "LOCALSTACK_IMAGE",
    official: "localstack/localstack:4.14.0",
    packaged: "parallax/localstack:4.14.0",
  },
  ministack: {
    variable: "MINISTACK_IMAGE",
    official: "ministackorg/ministack:1.5.33",
    packaged: "parallax/ministack:1.5.33",
  },
  redis: { variable: "REDIS_IMAGE", official: "redis:8.0.3-alpine", packaged: "parallax/redis:8.0" },
  nats: { variable: "NATS_IMAGE", official: "nats:2.10.29-alpine", packaged: "parallax/nats:2.10" },
  postgres: {
    variable: "POSTGRES_IMAGE",
    official: "postgres:17.6-alpine",
    packaged: "parallax/postgres:17",
  },
  haproxy: { variable: "HAPROXY_IMAGE", official: "haproxy:3.0.11-alpine", packaged: "parallax/haproxy:3.0" },
} as const satisfies Record<string, BackingImage>;

export type BackingServer = keyof typeof backingImages;

/** What the services' own images stand on: Node with npm, and a C library that its binary runs on. */
export const nodeBase = {
  official: "node:26.10.0-slim",
  packaged: "parallax/node:26.10.0",
} as const;

/** What the packaged images stand on, made with debootstrap. */
export const debianBase = "parallax/debian:trixie";
