/** Does not run. */

throw new Error("a defect of the script");
