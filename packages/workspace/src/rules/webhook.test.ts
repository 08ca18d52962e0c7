import { describe, expect, it } from "vitest";
import { createHmac } from "node:crypto";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { seededRandom } from "@skep/kit/random.ts";
import type { Message } from "../message.ts";
import { createWebhooks } from "./webhook.ts";
import type { HttpPosting } from "./webhook-post.ts";
import type { WebhookTarget } from "./webhook-posting.ts";

const EFFECT = { ruleId: "hot", version: 2, action: { kind: "webhook", target: "pager" }, because: "begins" } as const;

function message(payload: Uint8Array = Buffer.from('{"t":81}')): Message {
  const topic = { workspaceId: "acme", deviceId: "d1", category: "telemetry", type: "engine" };
  return { key: "k1", topic, payload, receivedAt: 1_700_000_000_000 };
}

type Answer = number | "silence" | Error;

/** Webhooks whose targets answer as `answers` says, one after the other, the last one for ever. */
function begin(answers: readonly Answer[], targets: Readonly<Record<string, WebhookTarget>> = {}) {
  const clock = createVirtualClock(1_700_000_000_000);
  const posted: (HttpPosting & { at: number })[] = [];
  const all = { pager: { url: "https://hooks.example.com/T0KEN?key=K3Y", secret: undefined }, ...targets };
  const post = (posting: HttpPosting, signal: AbortSignal): Promise<number> => {
    posted.push({ ...posting, at: clock.now() });
    const answer = answers[Math.min(posted.length, answers.length) - 1];
    if (typeof answer === "number") return Promise.resolve(answer);
    if (answer instanceof Error) return Promise.reject(answer);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  };
  const options = { clock, random: seededRandom(1), post, allowedHosts: [] };
  const webhooks = createWebhooks(options, new Map(Object.entries(all)));
  const send = (target = "pager", one = message()): Promise<string> =>
    webhooks.send(target, one, EFFECT).then(
      () => "sent",
      (error: Error) => error.message,
    );
  return { clock, webhooks, posted, send };
}

async function within(clock: ReturnType<typeof createVirtualClock>, done: Promise<string>): Promise<string> {
  await clock.advance(300_000);
  return done;
}

describe("a webhook", () => {
  it("gets the message, which rule it was, and a signature", async () => {
    const secret = "a secret of the receiver";
    const { webhooks, posted, send } = begin([204], { signed: { url: "https://example.com/", secret } });
    expect([await send(), await send("signed")]).toEqual(["sent", "sent"]);
    const [plain, signed] = posted;
    expect(JSON.parse(plain!.body.toString())).toEqual({
      ...{ workspace: "acme", device: "d1", category: "telemetry", type: "engine", at: "2023-11-14T22:13:20.000Z" },
      ...{ rule: "hot", version: 2, because: "begins", value: { t: 81 } },
    });
    expect(plain!.headers).not.toHaveProperty("skep-signature");
    const digest = createHmac("sha256", secret).update(`1700000000.${signed!.body.toString()}`).digest("hex");
    expect(signed!.headers["skep-signature"]).toBe(`t=1700000000,v1=${digest}`);
    expect(webhooks.counts()).toMatchObject({ webhooksSent: 2, webhooksFailed: 0, webhooksWaiting: 0 });
  });

  it("gets what is no JSON as base64", async () => {
    const { posted, send } = begin([200]);
    await send("pager", message(Buffer.from([0xff, 1])));
    expect(JSON.parse(posted[0]!.body.toString())).toMatchObject({ base64: "/wE=" });
  });

  it.each([
    ["no answer within 5 s", "silence", "gives no answer within 5 s, 5 attempts"],
    [
      "a connection that fails",
      Object.assign(new Error("T0KEN"), { code: "ECONNREFUSED" }),
      "(ECONNREFUSED), 5 attempts",
    ],
    ["an error of the server", 503, "answers 503, 5 attempts"],
    ["a limit", 429, "answers 429, 5 attempts"],
  ] as const)("is tried again after %s, ever later, and told by its name and host alone", async (_, answer, says) => {
    const { clock, webhooks, posted, send } = begin([answer]);
    const said = await within(clock, send());
    expect(said).toContain(says);
    expect(said).toMatch(/^webhook pager: hooks\.example\.com /);
    expect(said).not.toMatch(/T0KEN|K3Y/);
    const gaps = posted.slice(1).map((one, index) => one.at - posted[index]!.at);
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps);
    expect(new Set(posted.map(one => one.headers["skep-delivery"])).size).toBe(1);
    expect(webhooks.counts()).toMatchObject({ webhooksFailed: 1, webhooksRepeated: 4 });
  });

  it("that answers again gets it", async () => {
    const { clock, send, posted } = begin([500, "silence", 200]);
    expect(await within(clock, send())).toBe("sent");
    expect(posted).toHaveLength(3);
  });

  it.each([
    ["a redirect", 307, "answers 307: a redirect is not followed"],
    ["a refusal", 404, "answers 404"],
    ["a name that leads inside", Object.assign(new Error("x"), { code: "EACCES" }), "leads into the platform's own"],
  ] as const)("is not tried again after %s", async (_, answer, says) => {
    const { clock, send, posted } = begin([answer]);
    expect(await within(clock, send())).toContain(says);
    expect(posted).toHaveLength(1);
  });

  it("of no registered name, of a wrong address, or with too much to post is refused", async () => {
    const { posted, send } = begin([200], { inside: { url: "https://10.0.0.1/", secret: undefined } });
    expect(await send("other")).toBe("webhook other: the workspace has none of this name");
    expect(await send("inside")).toContain("its host is no address in the Internet");
    expect(await send("pager", message(Buffer.alloc(256 * 1024)))).toContain("store it instead");
    expect(posted).toEqual([]);
  });
});

describe("webhooks", () => {
  it("follow what is registered", async () => {
    const { webhooks, posted, send } = begin([200]);
    webhooks.set(new Map([["other", { url: "https://other.example.com/", secret: undefined }]]));
    expect([await send("other"), await send()]).toEqual(["sent", "webhook pager: the workspace has none of this name"]);
    expect(posted.map(one => one.url.host)).toEqual(["other.example.com"]);
  });

  it("hold no place once they are done", async () => {
    const { send } = begin([200]);
    for (let one = 0; one < 10; one += 1) expect(await send("pager", message(Buffer.alloc(150_000)))).toBe("sent");
  });
});

describe("webhooks that do not answer", () => {
  const SLOW = { url: "https://slow.example.com/", secret: undefined };

  it("are posted to four at a time, hold up no other, and lose what is too much", async () => {
    const { clock, webhooks, posted, send } = begin(["silence", "silence", "silence", "silence", 200], { slow: SLOW });
    const slow = Array.from({ length: 70 }, () => send("slow"));
    await clock.settle();
    expect(posted).toHaveLength(4);
    expect(webhooks.counts()).toMatchObject({ webhooksWaiting: 64, webhooksDropped: 6 });
    expect(await send()).toBe("sent");
    await clock.advance(300_000);
    const said = await Promise.all(slow);
    expect(said.filter(one => one === "sent")).toHaveLength(64);
    expect(said.at(-1)).toBe("webhook slow: too many wait, this one is dropped");
    expect(webhooks.counts()).toMatchObject({ webhooksSent: 65, webhooksWaiting: 0 });
  });

  it("are bounded in all, by number and by bytes", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `slow-${index}`);
    const targets = Object.fromEntries(names.map(name => [name, SLOW]));
    const many = begin(["silence"], targets);
    for (const name of names) for (let one = 0; one < 40; one += 1) void many.send(name);
    await many.clock.settle();
    expect(many.webhooks.counts()).toMatchObject({ webhooksWaiting: 256, webhooksDropped: 64 });
    const large = begin(["silence"], targets);
    for (const name of names) void large.send(name, message(Buffer.alloc(150_000)));
    await large.clock.settle();
    expect(large.webhooks.counts()).toMatchObject({ webhooksWaiting: 5, webhooksDropped: 3 });
  });

  it("are given up at the end, and nothing is left", async () => {
    const { clock, webhooks, send, posted } = begin(["silence"], { slow: SLOW });
    const said = Array.from({ length: 6 }, () => send("slow"));
    await clock.settle();
    await webhooks.close();
    expect(webhooks.counts()).toMatchObject({ webhooksWaiting: 0, webhooksFailed: 4, webhooksDropped: 2 });
    expect(await Promise.all(said)).toEqual([
      ...Array<string>(4).fill("webhook slow: slow.example.com is given up, as the workspace ends, 1 attempt"),
      ...Array<string>(2).fill("webhook slow: the workspace ends, so it is dropped"),
    ]);
    expect(await send()).toContain("dropped");
    expect([posted.length, clock.nextAt()]).toEqual([4, undefined]);
  });

  it("are given up between two attempts as well", async () => {
    const { clock, webhooks, send } = begin([500]);
    const said = send();
    await clock.settle();
    await webhooks.close();
    expect(await said).toContain("answers 500, 1 attempt");
    expect(clock.nextAt()).toBeUndefined();
  });
});
