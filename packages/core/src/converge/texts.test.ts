import fc from "fast-check";
import { expect, test } from "vitest";
import { aContainer, aSpec, anAssignedInstance } from "../testing/builders.ts";
import { digestText, isDigested } from "./digest.ts";
import { canonicalText, containerHash, hashText, sandboxHash } from "./spec-hash.ts";

test("a digest's text has the container ids sorted", () => {
  const containers = [{ id: "b" }, { id: "a" }];
  const status = { instanceId: "acme.web.1", epoch: 3, state: "running", health: "none", containers } as const;
  expect(digestText(status)).toBe("acme.web.1/3/running/none/a,b");
  expect(digestText({ ...status, containers: [] })).toBe("acme.web.1/3/running/none/");
});

test("what is over takes no part in a digest", () => {
  expect(
    (["running", "starting", "stopping", "stopped", "failed", "lost"] as const).filter(state => isDigested({ state })),
  ).toEqual(["running", "starting", "stopping"]);
});

test("the hash is FNV-1a of 64 bits, which never changes", () => {
  expect(["", "a", "foobar"].map(hashText)).toEqual(["cbf29ce484222325", "af63dc4c8601ec8c", "85944171f73967e8"]);
});

test("the canonical text does not depend on the order of fields, and absent fields are not in it", () => {
  expect(canonicalText({ b: [1, "x"], a: { d: undefined, c: true } })).toBe('{"a":{"c":true},"b":[1,"x"]}');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value => {
      expect(canonicalText(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalText(value));
    }),
  );
});

test("a container's hash changes with what it is made from, and with nothing else", () => {
  const container = aContainer();
  const instance = anAssignedInstance();
  const hash = containerHash(instance, container, undefined);
  expect(containerHash(anAssignedInstance(), aContainer(), undefined)).toBe(hash);
  expect(containerHash(instance, aContainer({ init: undefined }), undefined)).toBe(hash);
  expect(containerHash({ ...instance, spec: aSpec({ replicas: 9 }) }, container, undefined)).toBe(hash);
  const others = [
    containerHash({ ...instance, epoch: 2 }, container, undefined),
    containerHash(instance, aContainer({ image: "app:2" }), undefined),
    containerHash(instance, aContainer({ env: { A: "1" } }), undefined),
    containerHash(instance, aContainer({ init: true }), undefined),
    containerHash(instance, aContainer({ tmpfs: [{ target: "/run", sizeBytes: 4096 }] }), undefined),
    containerHash(instance, container, "sandbox-1"),
    containerHash(instance, container, "sandbox-2"),
    sandboxHash(instance),
    sandboxHash({ ...instance, spec: aSpec({ containers: [aContainer({ hostname: "h" })] }) }),
  ];
  expect(new Set([hash, ...others]).size).toBe(others.length + 1);
});
