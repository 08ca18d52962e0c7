import { describe, expect, it } from "vitest";
import { KINDS, PROJECTS, readWanted } from "./wanted.ts";

describe("what a test run is asked for", () => {
  it("is everything without a word", () => {
    expect(readWanted([])).toEqual({ projects: PROJECTS, patterns: [], name: undefined, checks: true });
  });

  it("is one file of whatever kind", () => {
    const wanted = readWanted(["packages/core/src/liveness.property.test.ts"]);
    expect(wanted).toEqual({
      projects: KINDS,
      patterns: ["packages/core/src/liveness.property.test.ts"],
      name: undefined,
      checks: false,
    });
  });

  it("is a kind, a part of a path and a name", () => {
    expect(readWanted(["unit", "core", "-t", "stays"])).toEqual({
      projects: ["unit"],
      patterns: ["core"],
      name: "stays",
      checks: false,
    });
  });

  it("is never the long kind, unless it or a file is named", () => {
    expect(readWanted(["-t", "stays"])).toMatchObject({ projects: PROJECTS });
    expect(readWanted(["long"])).toMatchObject({ projects: ["long"] });
    expect(PROJECTS).not.toContain("long");
  });

  it("is refused where an option is not known or has no value", () => {
    expect(() => readWanted(["--fast"])).toThrow("--fast is not known");
    expect(() => readWanted(["-t"])).toThrow("-t needs the name");
    expect(readWanted(["--help"])).toBe("help");
  });
});
