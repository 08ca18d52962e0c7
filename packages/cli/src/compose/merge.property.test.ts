import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeMaps } from "./merge.ts";
import { Problems } from "./problems.ts";
import type { MapSpot, Spot } from "./spots.ts";
import { parseYaml, unfold } from "./tree.ts";

type Value = string | readonly Value[] | { readonly [key: string]: Value };

/** JSON is YAML: a value as it would be read from a file. */
function read(value: Value): MapSpot {
  const problems = new Problems();
  const parsed = parseYaml(JSON.stringify(value), { name: "c.yaml", folder: "", variables: {} }, problems);
  return (parsed === undefined ? [] : unfold(parsed, problems))[0] as MapSpot;
}

function plain(spot: Spot): Value {
  if (spot.kind === "scalar") return String(spot.value);
  if (spot.kind === "list") return spot.items.map(plain);
  return Object.fromEntries([...spot.entries].map(([key, entry]) => [key, plain(entry.value)]));
}

function merge(...values: readonly Value[]): Value {
  const [first, ...others] = values.map(read) as [MapSpot, ...MapSpot[]];
  return plain(others.reduce((base, over) => mergeMaps(base, over, [], new Problems()), first));
}

const word = fc.constantFrom("a", "b", "c");
const texts = fc.dictionary(word, fc.constantFrom("1", "2", "3"));
const pairs = fc.oneof(
  texts,
  texts.map(map => Object.entries(map).map(([key, value]) => `${key}=${value}`)),
);
const service = fc.record(
  {
    image: word,
    command: fc.array(word),
    environment: pairs,
    labels: pairs,
    tmpfs: fc.uniqueArray(fc.constantFrom("/a", "/b")),
    deploy: fc.record({ replicas: fc.constantFrom("1", "2") }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const file = fc.dictionary(word, service).map(services => ({ services }) as unknown as Value);

it("does not matter which two of three files are merged first", () => {
  fc.assert(
    fc.property(file, file, file, (a, b, c) => {
      expect(merge(a, merge(b, c))).toEqual(merge(merge(a, b), c));
    }),
    { numRuns: 150, seed: 11 },
  );
});

it("changes nothing where the later file is empty or the same", () => {
  fc.assert(
    fc.property(file, one => {
      const empty = { services: {} };
      expect(merge(one, empty)).toEqual(plain(read(one)));
      expect(merge(merge(one, one), one)).toEqual(merge(one, one));
    }),
    { numRuns: 150, seed: 12 },
  );
});
