import { describe, expect, it } from "vitest";
import { compose, refusals } from "../testing/compose.ts";
import type { Around } from "../testing/compose.ts";

const text = [
  "services:",
  "  web: { image: a, depends_on: [db] }",
  "  db: { image: b }",
  "  side: { image: c, network_mode: 'service:db' }",
  "  other: { image: d }",
  "  tool: { image: e, profiles: [tools], depends_on: { helper: { condition: service_started } } }",
  "  helper: { image: f, profiles: [tools] }",
].join("\n");

function chosen(around: Around): unknown {
  return compose(text, around).deployments.map(({ containers }) => containers.map(({ name }) => name).join("+"));
}

describe("named services", () => {
  it("come with what they need, and with all of their pod", () => {
    expect(chosen({})).toEqual(["web", "db+side", "other"]);
    expect(chosen({ services: ["web"] })).toEqual(["web", "db+side"]);
    expect(chosen({ services: ["side"] })).toEqual(["db+side"]);
    expect(chosen({ services: ["other", "db"] })).toEqual(["db+side", "other"]);
  });

  it("choose their profiles", () => {
    expect(chosen({ services: ["tool"] })).toEqual(["tool", "helper"]);
    expect(chosen({ profiles: ["tools"] })).toEqual(["web", "db+side", "other", "tool", "helper"]);
  });

  it("are services of the files", () => {
    expect(refusals(text, { services: ["nobody"] })).toEqual([
      expect.stringContaining("no service is called `nobody`. There are web, db, side, other, tool, helper"),
    ]);
  });

  it("leave the faults of others unsaid", () => {
    const files = "services:\n  web: { image: a }\n  bad: { image: b, privileged: true }\n";
    expect(refusals(files, { services: ["web"] })).toEqual([]);
  });
});
