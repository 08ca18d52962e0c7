import { pbkdf2Sync } from "node:crypto";

const ITERATIONS = 101;

/**
 * A line of Mosquitto's password file. With the same salt it is the same line, so that who writes
 * the file can tell whether anything changed. The password is a key of random bytes: nobody guesses
 * it, however few the rounds are.
 */
export function mosquittoPassword(user: string, password: string, salt: Buffer): string {
  const digest = pbkdf2Sync(password, salt, ITERATIONS, 64, "sha512");
  return `${user}:$7$${ITERATIONS}$${salt.toString("base64")}$${digest.toString("base64")}`;
}
