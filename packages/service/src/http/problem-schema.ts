/** The schema of a problem document, for the OpenAPI documents. */

import { z } from "zod";

const fieldError = z.object({
  field: z.string().meta({ description: "As a person writes it: items[0].quantity." }),
  pointer: z.string().meta({ description: "RFC 6901, as a URI fragment: #/items/0/quantity." }),
  detail: z.string(),
});

/** Open: a problem may have further members (RFC 9457, 3.2). */
export const problemSchema = z
  .looseObject({
    type: z.string().regex(/^urn:parallax:problem:[a-z-]+$/),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: "What happened to this request, for a person." }),
    code: z.string().regex(/^[A-Z_]+$/),
    retryable: z.boolean().meta({ description: "Whether the same request may succeed later." }),
    errors: z.array(fieldError).optional().meta({ description: "What is wrong, field by field." }),
    instance: z.string().optional().meta({ description: "The request: urn:request:<X-Request-Id>." }),
  })
  .meta({ id: "Problem", description: "A problem document (RFC 9457)." });
