import { expect, test } from "vitest";
import { hideUrlSecrets } from "./url-secrets.ts";

test.each([
  ["nats://user:word@nats:4222", "nats://***@nats:4222"],
  [
    "mongodb+srv://me:a%40word@db.example/x or mqtt://word@broker",
    "mongodb+srv://***@db.example/x or mqtt://***@broker",
  ],
  ["mongodb://u:wo@rd@h1:1,h2:2/db?a=b", "mongodb://***@h1:1,h2:2/db?a=b"],
  ["postgres://u:wo/rd@h/db", "postgres://***@h/db"],
  ["redis://:word@h", "redis://***@h"],
  ['connect to "amqp://u:word@h" failed', 'connect to "amqp://***@h" failed'],
  ["HTTPS://U:word@h", "HTTPS://***@h"],
])("%s is shown without its word", (text, shown) => {
  expect(hideUrlSecrets(text)).toBe(shown);
});

test.each(["https://a.example/x", "a@b.example", "see https://a.example and a@b.example", "//a@b"])(
  "%s stays as it is",
  text => {
    expect(hideUrlSecrets(text)).toBe(text);
  },
);

test("A hostile text costs no more than its length", () => {
  for (const part of ["a.", "a://", "a:", "://@"]) hideUrlSecrets(part.repeat(100_000));
});
