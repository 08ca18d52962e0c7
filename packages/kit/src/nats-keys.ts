import { createAccount, createUser, fromPublic, fromSeed } from "@nats-io/nkeys";
import type { NatsLogin } from "./nats-bus.ts";

/** A key pair in NATS's own form (Ed25519). The seed is the secret part. */
export interface NatsKey {
  readonly seed: string;
  readonly publicKey: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Makes a key pair: an account signs users, a user logs in. */
export function newNatsKey(kind: "account" | "user"): NatsKey {
  const pair = kind === "account" ? createAccount() : createUser();
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}

/** @throws NKeysError where the text is no seed. */
export function publicKeyOf(seed: string): string {
  return fromSeed(bytes(seed)).getPublicKey();
}

/**
 * A login that proves the seed's key by signing the server's challenge, and tells `user` and
 * `password` beside it.
 */
export function signedLogin(
  seed: string,
  told: { readonly user?: string; readonly password?: string } = {},
): NatsLogin {
  const pair = fromSeed(bytes(seed));
  return nonce => ({
    ...(told.user === undefined ? {} : { user: told.user }),
    ...(told.password === undefined ? {} : { pass: told.password }),
    nkey: pair.getPublicKey(),
    sig: Buffer.from(pair.sign(bytes(nonce ?? ""))).toString("base64url"),
  });
}

/** Whether the holder of the key has signed the challenge. */
export function hasSigned(publicKey: string, nonce: string, signature: string): boolean {
  try {
    return (
      nonce !== "" && fromPublic(publicKey).verify(bytes(nonce), new Uint8Array(Buffer.from(signature, "base64url")))
    );
  } catch {
    // Neither a key nor a signature.
    return false;
  }
}
