/** The embedded emulator of SNS and SQS. */

import { startEmulator } from "@parallax/emulator";

const { endpoint } = await startEmulator();
console.log(endpoint);
