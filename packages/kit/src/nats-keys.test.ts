import { describe, expect, it } from "vitest";
import { hasSigned, newNatsKey, publicKeyOf, signedLogin } from "./nats-keys.ts";

describe("a key of the bus", () => {
  const key = newNatsKey("user");

  it("proves itself by signing the server's challenge", () => {
    const login = signedLogin(key.seed, { user: "node-1", password: "secret" })("challenge");
    expect(login).toMatchObject({ user: "node-1", pass: "secret", nkey: key.publicKey });
    expect(hasSigned(key.publicKey, "challenge", login.sig)).toBe(true);
  });

  it("proves nothing for another key, another challenge, no challenge, or with noise", () => {
    const { sig } = signedLogin(key.seed)("challenge");
    expect(hasSigned(newNatsKey("user").publicKey, "challenge", sig)).toBe(false);
    expect(hasSigned(key.publicKey, "another", sig)).toBe(false);
    expect(hasSigned(key.publicKey, "", signedLogin(key.seed)("").sig)).toBe(false);
    expect(hasSigned("UNOKEY", "challenge", "noise")).toBe(false);
  });

  it("is the same from its seed", () => {
    expect(publicKeyOf(key.seed)).toBe(key.publicKey);
    expect(newNatsKey("account").publicKey).toMatch(/^A/);
  });
});
