import t from "tap";
import * as service from "../src/errors.ts";
import { errorClasses, type FieldError, ServiceError, toProblem, ValidationFailed } from "../src/index.ts";

t.test("the list is complete: every error class that is exported is on it", async (t) => {
  const exported = Object.values(service).filter(
    (value) => typeof value === "function" && value.prototype instanceof ServiceError,
  );
  t.same(new Set<unknown>(exported), new Set<unknown>(errorClasses));
  t.ok(errorClasses.length >= 15);
});

t.test("codes are unique, and so are classes", async (t) => {
  const codes = errorClasses.map((each) => each.spec.code);
  t.same(codes, [...new Set(codes)]);
  for (const code of codes) t.match(code, /^[A-Z]+(_[A-Z]+)*$/);
});

t.test("every status is an error; a failure of ours may be retried unless it is a defect", async (t) => {
  for (const { spec } of errorClasses) {
    t.ok(spec.status >= 400 && spec.status <= 599, spec.code);
    if (spec.status >= 500) t.equal(spec.retryable, spec.code !== "INTERNAL", spec.code);
  }
});

t.test("an error carries its class's data, and its cause only when there is one", async (t) => {
  for (const ErrorClass of errorClasses) {
    const cause = new Error("why");
    const error = new ErrorClass("what", { cause });
    t.match(error, { ...ErrorClass.spec, name: ErrorClass.spec.code, message: "what" });
    t.equal(error.cause, cause);
    t.notOk("cause" in new ErrorClass("what"));
  }
});

t.test("each becomes a problem document (RFC 9457) that shows no cause", async (t) => {
  for (const ErrorClass of errorClasses) {
    const problem = toProblem(new ErrorClass("what", { cause: new Error("a password") }), "r-1");
    t.same(problem, {
      type: `urn:parallax:problem:${ErrorClass.spec.code.toLowerCase().replaceAll("_", "-")}`,
      title: ErrorClass.spec.title,
      status: ErrorClass.spec.status,
      detail: "what",
      code: ErrorClass.spec.code,
      retryable: ErrorClass.spec.retryable,
      instance: "urn:request:r-1",
    });
    t.ok(URL.canParse(problem.type));
  }
});

t.test("fields are listed where there are any; without a request there is no instance", async (t) => {
  const errors: FieldError[] = [{ field: "a", pointer: "#/a", detail: "is wrong" }];
  const problem = toProblem(new ValidationFailed("a: is wrong", { errors }));
  t.same(problem.errors, errors);
  t.notOk("instance" in problem);
});
