import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseDocument } from "yaml";
import { root } from "./sources.ts";

// The docker client refuses a file that says a thing twice, minutes into a start.
it.each(readdirSync(join(root, "stack")).filter(name => name.endsWith(".yml")))("%s says each thing once", name => {
  const { errors } = parseDocument(readFileSync(join(root, "stack", name), "utf8"), { merge: true });
  expect(errors.map(error => error.message)).toEqual([]);
});
