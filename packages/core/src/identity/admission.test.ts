import { describe, expect, it } from "vitest";
import { admit, type Applicant } from "./admission.ts";

const recorded = { publicKey: "UOLD", joinedAt: 1, revokedAt: undefined };
const applicant = (over: Partial<Applicant>): Applicant => ({
  ...{ publicKey: "UNEW", knowsSecret: true, recorded: undefined, isListed: true },
  ...over,
});

describe("who may speak as a node", () => {
  it.each([
    ["joins with the secret, where the Swarm has the node", {}, "join"],
    ["joins where no manager has ever told the list", { isListed: undefined }, "join"],
    ["does not join without the secret", { knowsSecret: false }, "refuse"],
    ["does not join as a node that the Swarm does not have", { isListed: false }, "refuse"],
    [
      "is admitted with the key that is recorded, without the secret",
      { publicKey: "UOLD", knowsSecret: false, recorded },
      "admit",
    ],
    ["is refused with another key, though it knows the secret", { recorded }, "refuse"],
    [
      "is refused once revoked, with the very key",
      { publicKey: "UOLD", recorded: { ...recorded, revokedAt: 2 } },
      "refuse",
    ],
  ] as const)("%s", (_, over, kind) => {
    expect(admit(applicant(over)).kind).toBe(kind);
  });

  it("alarms nobody over a node that the Swarm will list in a moment", () => {
    expect(admit(applicant({ isListed: false }))).toMatchObject({ isAlarming: false });
    expect(admit(applicant({ recorded }))).toMatchObject({ isAlarming: true });
  });
});
