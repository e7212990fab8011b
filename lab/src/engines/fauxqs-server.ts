/** The emulator as a program: `node fauxqs-server.ts PORT`. It listens on 127.0.0.1; SIGTERM and SIGINT end it. */
import { startEmulator } from "@parallax/emulator";

const emulator = await startEmulator({
  port: Number(process.argv[2]),
  region: process.env.AWS_REGION ?? "us-west-2",
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void emulator.stop().then(() => process.exit(0)));
}
