import { randomBytes, randomInt } from "node:crypto";

/** A source of chance: each call gives a number of at least 0 and less than 1. */
export type Random = () => number;

/**
 * Makes an id that nothing else has, for example `tick_7hk2m0qa94vd1xcz`: the prefix, then 16
 * letters and digits.
 */
export type IdSource = (prefix: string) => string;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Chance that repeats itself: the same seed gives the same numbers (sfc32). Never use it for
 * secrets.
 */
export function seededRandom(seed: number | string): Random {
  let [a, b, c, count] = spread(String(seed));
  const next = (): number => {
    const sum = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The first numbers of near seeds resemble each other; a few turns part them.
  for (let turn = 0; turn < 12; turn++) next();
  return next;
}

/**
 * Chance from the machine; good enough for delays and choices, as it does not repeat between
 * processes.
 */
export const systemRandom: Random = () => randomInt(2 ** 47) / 2 ** 47;

/** Ids out of a source of chance; seeded chance gives ids that repeat, as a simulation wants. */
export function createIdSource(random: Random): IdSource {
  return prefix => {
    let id = "";
    for (let at = 0; at < 16; at++) id += ALPHABET[Math.floor(random() * 32)];
    return `${prefix}_${id}`;
  };
}

/** Ids with 80 bits from the machine's cryptographic source. */
export const systemIds: IdSource = prefix => {
  let id = "";
  for (const byte of randomBytes(16)) id += ALPHABET[byte & 31];
  return `${prefix}_${id}`;
};

/** Four 32-bit words out of a text (cyrb128). */
function spread(text: string): [number, number, number, number] {
  let [h1, h2, h3, h4] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    h1 = h2 ^ Math.imul(h1 ^ code, 597399067);
    h2 = h3 ^ Math.imul(h2 ^ code, 2869860233);
    h3 = h4 ^ Math.imul(h3 ^ code, 951274213);
    h4 = h1 ^ Math.imul(h4 ^ code, 2716044179);
  }
  return [h1 ^ h2 ^ h3 ^ h4, h2 ^ h1, h3 ^ h1, h4 ^ h1];
}
