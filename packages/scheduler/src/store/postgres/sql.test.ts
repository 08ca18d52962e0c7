import { describe, expect, it } from "vitest";
import { translate } from "./sql.ts";

const refused = (code: string): Error => Object.assign(new Error("words of the database"), { code });

describe("a failure of the database", () => {
  it.each(["42P01", "42703", "42883"])("is called unavailable while the tables are not there yet (%s)", state => {
    expect(translate(refused(state))).toMatchObject({ code: "unavailable", reason: "DATABASE_NOT_READY" });
  });

  it("keeps the database's words where nothing better is known", () => {
    const error = translate(refused("42501"));
    expect(error.reason).toBe("DATABASE_REFUSED");
    expect(error.message).toContain("words of the database");
  });
});
