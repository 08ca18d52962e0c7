import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ADDRESS_RESTS_MS,
  formatAddressBook,
  giveAddresses,
  NO_ADDRESSES,
  parseAddressBook,
  type AddressBook,
} from "./addresses.ts";
import { parseBlock } from "./block.ts";

const BLOCK = parseBlock("10.128.16.0/29")!;
const NOW = 1_700_000_000_000;

function give(book: AddressBook, wanted: readonly string[], now = NOW, block = BLOCK): AddressBook {
  return giveAddresses(book, wanted, block, now);
}

test("the lowest address goes first, and never the node's own or the last", () => {
  const all = ["a@1", "b@1", "c@1", "d@1", "e@1", "f@1", "g@1"];
  const { held } = give(NO_ADDRESSES, all);
  expect([...held]).toEqual(all.slice(0, 6).map((key, at) => [key, `10.128.16.${at + 1}`]));
});

test("who has an address keeps it, whoever comes and goes", () => {
  const first = give(NO_ADDRESSES, ["a@1", "b@1"]);
  const second = give(first, ["c@1", "b@1"]);
  expect(second.held.get("b@1")).toBe("10.128.16.2");
  expect(second.held.get("c@1")).toBe("10.128.16.3");
});

test("an address rests before somebody else gets it, and that of longest ago goes first", () => {
  let book = give(NO_ADDRESSES, ["a@1", "b@1", "c@1", "d@1", "e@1", "f@1"]);
  book = give(book, ["c@1", "d@1", "e@1", "f@1", "b@1"]);
  book = give(book, ["c@1", "d@1", "e@1", "f@1"], NOW + 1);
  const rested = NOW + ADDRESS_RESTS_MS;
  expect(give(book, ["c@1", "d@1", "e@1", "f@1", "x@1"], rested - 1).held.get("x@1")).toBeUndefined();
  expect(give(book, ["c@1", "d@1", "e@1", "f@1", "x@1"], rested).held.get("x@1")).toBe("10.128.16.1");
  const both = give(book, ["c@1", "d@1", "e@1", "f@1", "x@1", "y@1"], rested + 1);
  expect([both.held.get("x@1"), both.held.get("y@1")]).toEqual(["10.128.16.1", "10.128.16.2"]);
});

test("a clock that was put back keeps no address for ever", () => {
  const left = give(give(NO_ADDRESSES, ["a@1", "b@1", "c@1", "d@1", "e@1", "f@1"], NOW * 2), [], NOW * 2);
  expect(give(left, ["x@1"], NOW).held.get("x@1")).toBe("10.128.16.1");
});

test("with another block everybody gets another address", () => {
  const before = give(NO_ADDRESSES, ["a@1"]);
  const after = give(before, ["a@1"], NOW, parseBlock("10.128.32.0/29")!);
  expect([...after.held]).toEqual([["a@1", "10.128.32.1"]]);
});

const name = fc.integer({ min: 0, max: 9 }).map(serial => `a.b.${serial}@1`);

test("no two ever have one address, each is of the block, and a book is read as it was written", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uniqueArray(name), fc.integer({ min: 0, max: 400_000 })), { maxLength: 8 }),
      turns => {
        let [book, now] = [NO_ADDRESSES, NOW];
        for (const [wanted, passes] of turns) {
          now += passes;
          const before = book;
          book = give(book, wanted, now);
          const addresses = [...book.held.values()];
          expect(new Set(addresses).size).toBe(addresses.length);
          for (const [key, address] of book.held) {
            expect(wanted).toContain(key);
            expect(address).toMatch(/^10\.128\.16\.[1-6]$/);
            if (before.held.has(key)) expect(address).toBe(before.held.get(key));
          }
          expect(give(book, wanted, now)).toEqual(book);
        }
        expect(parseAddressBook(formatAddressBook(book))).toEqual(book);
      },
    ),
  );
});

test("lines that say nothing are passed over", () => {
  expect(parseAddressBook(["", "held 10.1.2 a@1", "held 10.1.2.3", "left 10.1.2.3 soon", "x"])).toEqual(NO_ADDRESSES);
});
