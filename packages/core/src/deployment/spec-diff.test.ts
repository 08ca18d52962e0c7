import { expect, test } from "vitest";
import { aContainer, aSpec } from "../testing/builders.ts";
import { diffSpecs, withoutValues } from "./spec-diff.ts";

test("differences are told by path, containers by their names, and lists as one", () => {
  const before = aSpec({ containers: [aContainer({ name: "a", command: ["x"] }), aContainer({ name: "b" })] });
  const after = aSpec({
    ...before,
    replicas: 7,
    containers: [aContainer({ name: "b" }), aContainer({ name: "a", command: ["x", "y"], user: "me" })],
  });
  expect(diffSpecs(before, before)).toEqual([]);
  expect(diffSpecs(before, after)).toEqual([
    { path: "containers.a.command", before: "x", after: "x y" },
    { path: "containers.a.user", before: undefined, after: "me" },
    { path: "replicas", before: String(before.replicas), after: "7" },
  ]);
});

test("values of the environment are not told, and nothing else is hidden", () => {
  const env = { path: "containers.a.env.PASSWORD", before: "one", after: "two" };
  const image = { path: "containers.a.image", before: undefined, after: "b" };
  expect(withoutValues([env, { ...env, after: undefined }, image])).toEqual([
    { ...env, before: "(hidden)", after: "(hidden)" },
    { ...env, before: "(hidden)", after: undefined },
    image,
  ]);
});

test("bytes differ as one value, however many there are", () => {
  const of = (content: string) => ({ ...aSpec(), content: new TextEncoder().encode(content) });
  expect(diffSpecs(of("one"), of("two"))).toEqual([
    { path: "content", before: expect.stringMatching(/^3 bytes /), after: expect.stringMatching(/^3 bytes /) },
  ]);
});
