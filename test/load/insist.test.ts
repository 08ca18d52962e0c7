import { SkepError } from "@skep/sdk/index.ts";
import { expect, test } from "vitest";
import { insist } from "./insist.ts";

test("a call is repeated while the platform is not available, and no longer", async () => {
  let calls = 0;
  const answer = await insist(async () => {
    if (++calls < 3) throw new SkepError("unavailable", "DATABASE_UNAVAILABLE", "It is away.");
    return calls;
  });
  expect(answer).toBe(3);
});

test("what is refused for another reason is not asked again", async () => {
  let calls = 0;
  const call = async (): Promise<never> => {
    calls += 1;
    throw new SkepError("already_exists", "TENANT_EXISTS", "It is there.");
  };
  await expect(insist(call)).rejects.toMatchObject({ reason: "TENANT_EXISTS" });
  expect(calls).toBe(1);
});
