import { expect, test } from "vitest";
import { webhookIssues } from "./webhook-address.ts";

const ALLOWED = ["hooks.internal", "127.0.0.9"];

test.each([
  ["https://hooks.example.com/T0KEN?key=K3Y"],
  ["https://93.184.216.34:8443/"],
  ["https://[2606:2800:220:1::1]/"],
  ["http://hooks.internal/"],
  ["https://hooks.internal/"],
  ["http://127.0.0.9:8080/"],
])("%s may be posted to", url => {
  expect(webhookIssues(url, ALLOWED)).toEqual([]);
});

test.each([
  ["http://hooks.example.com/T0KEN", "it speaks http:"],
  ["ftp://hooks.internal/T0KEN", "it speaks ftp:"],
  ["file:///etc/passwd", "it speaks file:"],
  ["https://me:T0KEN@hooks.example.com/", "it names a user"],
  ["https://T0KEN@hooks.example.com/", "it names a user"],
  ["https://10.0.0.1/T0KEN", "no address in the Internet"],
  ["https://127.1/", "no address in the Internet"],
  ["https://0x7f000001/", "no address in the Internet"],
  ["https://2130706433/", "no address in the Internet"],
  ["https://169.254.169.254./latest", "no address in the Internet"],
  ["https://[::1]/", "no address in the Internet"],
  ["https://[::ffff:10.0.0.1]/", "no address in the Internet"],
  ["T0KEN", "it is no address"],
  [`https://example.com/T0KEN${"x".repeat(2048)}`, "it is no address"],
])("%.40s may not, and the reason does not repeat it", (url, says) => {
  const issues = webhookIssues(url, ALLOWED);
  expect(issues.map(one => one.problem).join()).toContain(says);
  expect(JSON.stringify(issues)).not.toContain("T0KEN");
});
