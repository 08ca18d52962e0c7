import { hkdfSync } from "node:crypto";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { signCall } from "@skep/kit/workspace-token.ts";
import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createLock, mayHear } from "./token.ts";

const secret = "sk_0123456789";
const at = 1_700_000_000_000;
const request = { subject: "dashboard", topics: ["devices/d1/#"], lifetimeMs: 60_000 };
const lock = createLock("shop", secret, () => at);

describe("the lock of a workspace", () => {
  it("opens for its secret, and then for everything", async () => {
    const grant = await lock.open({ secret });
    expect(grant).toEqual({ subject: "owner", scopes: ["#"], expiresAt: undefined });
    expect(mayHear(grant, "devices/#")).toBe(true);
  });

  it("opens for a token that it issued, and then for the token's topics only", async () => {
    const grant = await lock.open({ token: await lock.issue(request) });
    expect(grant).toEqual({ subject: "dashboard", scopes: ["devices/d1/#"], expiresAt: at + 60_000 });
    expect(mayHear(grant, "devices/d1/status")).toBe(true);
    expect(mayHear(grant, "devices/+/status")).toBe(false);
  });

  it.each([
    undefined,
    null,
    {},
    "text",
    { secret: 7 },
    { token: {} },
    { secret: "x".repeat(10_000) },
    { token: "x".repeat(10_000) },
  ])("asks for credentials where there are none: %j", async credentials => {
    await expect(lock.open(credentials)).rejects.toMatchObject({ data: { reason: "NO_CREDENTIALS" } });
  });

  it.each([`${secret}x`, secret.slice(0, -1), "", secret.toUpperCase()])("refuses the secret %j", async shown => {
    await expect(lock.open({ secret: shown })).rejects.toMatchObject({ data: { reason: "WRONG_SECRET" } });
  });

  it("is the same where only the digest of the secret is known, which itself opens nothing", async () => {
    const digest = digestSecret("shop", secret);
    const host = createLock("shop", digest, () => at);
    expect(await host.open({ secret })).toMatchObject({ subject: "owner" });
    expect(await host.open({ token: await lock.issue(request) })).toMatchObject({ subject: "dashboard" });
    expect(await lock.open({ token: await host.issue(request) })).toMatchObject({ subject: "dashboard" });
    for (const either of [host, lock])
      await expect(either.open({ secret: digest })).rejects.toMatchObject({ data: { reason: "WRONG_SECRET" } });
  });

  it("refuses a token that has expired", async () => {
    const token = await lock.issue(request);
    const later = createLock("shop", secret, () => at + 60_000);
    await expect(later.open({ token })).rejects.toMatchObject({ data: { reason: "TOKEN_EXPIRED" } });
  });

  it("refuses a token of another workspace, even one with the same secret", async () => {
    const token = await createLock("other", secret, () => at).issue(request);
    await expect(lock.open({ token })).rejects.toMatchObject({ data: { reason: "TOKEN_OF_ANOTHER_WORKSPACE" } });
  });

  it("refuses a token that was issued with an older secret", async () => {
    const token = await createLock("shop", "sk_before1234", () => at).issue(request);
    await expect(lock.open({ token })).rejects.toMatchObject({ data: { reason: "TOKEN_INVALID" } });
  });

  it("refuses a token that is forged: unsigned, signed with the secret itself, changed, or none", async () => {
    const claims = { topics: ["#"] };
    const unsigned = new UnsecuredJWT(claims).setIssuer("skep").setAudience("workspace:shop").setSubject("x");
    const signed = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuer("skep").setSubject("x");
    const [head, body, signature] = (await lock.issue(request)).split(".");
    const wide = Buffer.from(body!, "base64url").toString().replace("devices/d1/#", "#");
    const tokens = [
      unsigned.setExpirationTime(at / 1_000 + 60).encode(),
      await signed
        .setAudience("workspace:shop")
        .setExpirationTime(at / 1_000 + 60)
        .sign(new TextEncoder().encode(secret)),
      `${head}.${Buffer.from(wide).toString("base64url")}.${signature}`,
      `${head}.${body}.`,
    ];
    for (const token of tokens) {
      await expect(lock.open({ token }), token).rejects.toMatchObject({ data: { reason: "TOKEN_INVALID" } });
    }
    const none = { data: { reason: "TOKEN_OF_ANOTHER_WORKSPACE" } };
    await expect(lock.open({ token: "a.b.c" })).rejects.toMatchObject(none);
  });

  it("refuses what somebody with the key signs in another way than it does", async () => {
    const key = (id: string): Uint8Array =>
      new Uint8Array(hkdfSync("sha256", digestSecret(id, secret), id, "skep/workspace/events/1", 32));
    const good = { iss: "skep", aud: "workspace:shop", sub: "x", exp: at / 1_000 + 60, topics: ["#"] };
    const sign = (claims: object, alg = "HS256", id = "shop"): Promise<string> =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key(id));
    await expect(lock.open({ token: await sign(good) })).resolves.toMatchObject({ subject: "x" });
    const bad = [
      sign({ ...good, iss: "other" }),
      sign({ ...good, exp: undefined }),
      sign({ ...good, sub: undefined }),
      sign({ ...good, topics: undefined }),
      sign({ ...good, topics: ["a/#/b"] }),
      sign(good, "HS384"),
      sign(good, "HS256", "other"),
    ];
    for (const token of bad) {
      await expect(lock.open({ token: await token })).rejects.toMatchObject({ data: { reason: "TOKEN_INVALID" } });
    }
    for (const aud of ["workspace:other", undefined]) {
      const token = await sign({ ...good, aud });
      await expect(lock.open({ token })).rejects.toMatchObject({ data: { reason: "TOKEN_OF_ANOTHER_WORKSPACE" } });
    }
  });

  it("repeats no credential in a refusal", async () => {
    const shown = { secret: "sk_guess_secret", token: "eyJ.guess.token" };
    for (const credentials of [{ secret: shown.secret }, { token: shown.token }]) {
      const error: unknown = await lock.open(credentials).catch((reason: unknown) => reason);
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain("guess");
    }
  });

  it.each([
    [{ ...request, topics: [] }, "topics"],
    [{ ...request, topics: ["a/#/b"] }, "topics"],
    [{ ...request, topics: Array.from({ length: 51 }, () => "a") }, "topics"],
    [{ ...request, lifetimeMs: 999 }, "lifetime"],
    [{ ...request, lifetimeMs: NaN }, "lifetime"],
    [{ ...request, lifetimeMs: 31 * 86_400_000 }, "lifetime"],
    [{ ...request, subject: "" }, "subject"],
  ])("issues no token for %j", async (bad, path) => {
    await expect(lock.issue(bad)).rejects.toMatchObject({ reason: "BAD_TOKEN_REQUEST", issues: [{ path }] });
  });

  it("knows a call of the platform by its own key, and nothing that sockets show", async () => {
    const call = (may: "data" | "peer", id = "shop"): string => signCall(id, secret, may, "scheduler", at);
    expect(await lock.caller(call("data"))).toEqual({ subject: "scheduler", may: "data" });
    expect(await lock.caller(call("peer"))).toEqual({ subject: "scheduler", may: "peer" });
    expect(await lock.caller(await lock.issue(request))).toEqual({ subject: "dashboard", may: undefined });
    const foreign = lock.caller(call("data", "other"));
    await expect(foreign).rejects.toMatchObject({ data: { reason: "TOKEN_OF_ANOTHER_WORKSPACE" } });
    const late = createLock("shop", secret, () => at + 31_000).caller(call("data"));
    await expect(late).rejects.toMatchObject({ data: { reason: "TOKEN_EXPIRED" } });
    await expect(lock.caller("x".repeat(9_000))).rejects.toMatchObject({ data: { reason: "TOKEN_INVALID" } });
    await expect(lock.open({ token: call("data") })).rejects.toMatchObject({ data: { reason: "TOKEN_INVALID" } });
  });
});
