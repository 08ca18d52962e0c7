import { describe, expect, it } from "vitest";
import { renderFields, renderTable } from "./table.ts";

describe("renderTable", () => {
  it("aligns columns by their widest cell and leaves no blanks at the ends", () => {
    const columns = [{ heading: "NAME" }, { heading: "N", align: "right" as const }, { heading: "SAYS" }];
    expect(
      renderTable(columns, [
        ["a", "1", ""],
        ["longer", "100", "x"],
      ]),
    ).toBe(["NAME      N  SAYS", "a         1", "longer  100  x", ""].join("\n"));
  });

  it("does not count colours, and keeps a cell on one line", () => {
    const green = "\u001B[32mok\u001B[39m";
    expect(renderTable([{ heading: "S" }, { heading: "T" }], [[green, "a\n  b"]])).toBe(`S   T\n${green}  a b\n`);
  });

  it("cuts only the last column, and never below twenty", () => {
    const row = ["a-name-that-is-long", "w".repeat(50)];
    expect(renderTable([{ heading: "A" }, { heading: "B" }], [row], 10).split("\n")[1]).toBe(
      `a-name-that-is-long  ${"w".repeat(19)}…`,
    );
  });

  it("shows headings when there are no rows", () => {
    expect(renderTable([{ heading: "A" }, { heading: "B" }], [])).toBe("A  B\n");
  });
});

describe("renderFields", () => {
  it("keeps the lines of a value under each other", () => {
    expect(
      renderFields([
        ["Name", "web"],
        ["Longer", "a\nb"],
      ]),
    ).toBe("Name    web\nLonger  a\n        b\n");
  });
});
