import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Bus, BusMessage } from "./bus.ts";

/** A message server that the suite can use up: the twin's network, or a real server of its own. */
export interface BusHarness {
  connect(name: string): Bus;
  /** Takes the server away from everybody, and brings it back. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/**
 * What every Bus does; run against the twin beside its source and against a real server in the
 * integration tests.
 */
export function busContract(name: string, open: () => Promise<BusHarness>): void {
  describe(`${name} keeps the contract of a bus`, () => {
    let harness: BusHarness;
    let one: Bus;
    let other: Bus;
    let subjects = 0;
    const fresh = (): string => `contract.s${++subjects}`;

    beforeAll(async () => {
      harness = await open();
      one = harness.connect("one");
      other = harness.connect("other");
      await vi.waitFor(() => expect([one.connected(), other.connected()]).toEqual([true, true]), 10_000);
    }, 30_000);
    afterAll(async () => {
      await one.close();
      await other.close();
      await harness.close();
    });

    /**
     * A round trip: what was published or subscribed before on this connection has reached the
     * server.
     */
    async function settled(bus: Bus): Promise<void> {
      const subject = fresh();
      const echo = bus.subscribe(subject, message => message.reply(message.data));
      await bus.request(subject, bytes(""), { timeoutMs: 5_000 });
      echo.close();
    }

    async function listen(bus: Bus, pattern: string, queue?: string): Promise<BusMessage[]> {
      const heard: BusMessage[] = [];
      bus.subscribe(pattern, message => void heard.push(message), queue === undefined ? {} : { queue });
      await settled(bus);
      return heard;
    }

    test("a message reaches every subscriber, in order", async () => {
      const subject = fresh();
      const mine = await listen(one, subject);
      const theirs = await listen(other, subject);
      for (const word of ["a", "b", "c"]) one.publish(subject, bytes(word));
      await vi.waitFor(() => expect(theirs.map(message => text(message.data))).toEqual(["a", "b", "c"]));
      await vi.waitFor(() => expect(mine.map(message => text(message.data))).toEqual(["a", "b", "c"]));
      expect(theirs[0]?.subject).toBe(subject);
      expect(theirs[0]?.replyTo).toBeUndefined();
    });

    test("a star takes one token and an arrow takes the rest", async () => {
      const root = fresh();
      const star = await listen(other, `${root}.*.beat`);
      const arrow = await listen(other, `${root}.>`);
      for (const tail of ["n1.beat", "n1.n2.beat", "n1", "n1.other"]) one.publish(`${root}.${tail}`, bytes(""));
      one.publish(root, bytes(""));
      await settled(one);
      await settled(other);
      expect(star.map(message => message.subject)).toEqual([`${root}.n1.beat`]);
      expect(arrow.map(message => message.subject)).toEqual(
        ["n1.beat", "n1.n2.beat", "n1", "n1.other"].map(tail => `${root}.${tail}`),
      );
    });

    test("one member of a queue group gets each message, and every member gets some", async () => {
      const subject = fresh();
      const members = [await listen(one, subject, "group"), await listen(other, subject, "group")];
      for (let count = 0; count < 100; count++) one.publish(subject, bytes(String(count)));
      await vi.waitFor(() => expect(members.flat()).toHaveLength(100));
      expect(members.every(member => member.length > 0)).toBe(true);
    });

    test("a closed subscription hears nothing more", async () => {
      const subject = fresh();
      const heard: string[] = [];
      const subscription = other.subscribe(subject, message => void heard.push(text(message.data)));
      await settled(other);
      one.publish(subject, bytes("before"));
      await vi.waitFor(() => expect(heard).toEqual(["before"]));
      subscription.close();
      await settled(other);
      one.publish(subject, bytes("after"));
      await settled(one);
      await settled(other);
      expect(heard).toEqual(["before"]);
    });

    test("a request gets its answer", async () => {
      const subject = fresh();
      other.subscribe(subject, message => message.reply(bytes(`hello ${text(message.data)}`)));
      await settled(other);
      const answers = await Promise.all(
        ["a", "b"].map(word => one.request(subject, bytes(word), { timeoutMs: 5_000 })),
      );
      expect(answers.map(text)).toEqual(["hello a", "hello b"]);
    });

    test("a request that nobody listens to fails at once with no_responders", async () => {
      const asked = one.request(fresh(), bytes(""), { timeoutMs: 60_000 });
      await expect(asked).rejects.toMatchObject({ name: "BusError", code: "no_responders" });
    });

    test("a request that is not answered fails with timeout", async () => {
      const subject = fresh();
      await listen(other, subject);
      const asked = one.request(subject, bytes(""), { timeoutMs: 50 });
      await expect(asked).rejects.toMatchObject({ name: "BusError", code: "timeout" });
    });

    test("a responder may send several answers to an inbox", async () => {
      const subject = fresh();
      other.subscribe(subject, message => {
        for (const word of ["1", "2", "3"]) other.publish(message.replyTo!, bytes(word));
      });
      await settled(other);
      const inbox = one.inbox();
      const heard = await listen(one, inbox);
      one.publish(subject, bytes("go"), { replyTo: inbox });
      await vi.waitFor(() => expect(heard.map(message => text(message.data))).toEqual(["1", "2", "3"]));
      expect(one.inbox()).not.toBe(inbox);
    });

    test("a subject that cannot be is refused", async () => {
      expect(() => one.publish("a..b", bytes(""))).toThrow(TypeError);
      expect(() => one.publish("a.*", bytes(""))).toThrow(TypeError);
      expect(() => one.subscribe("a.>.b", () => undefined)).toThrow(TypeError);
      await expect(one.request("a b", bytes(""), { timeoutMs: 50 })).rejects.toThrow(TypeError);
    });

    test("a message of the largest size arrives, and a larger one is refused with its size", async () => {
      const subject = fresh();
      const heard = await listen(other, subject);
      const limit = one.maxPayload();
      expect(limit).toBe(other.maxPayload());
      const tooLarge = new Uint8Array(limit + 1);
      one.publish(subject, new Uint8Array(limit));
      expect(() => one.publish(subject, tooLarge)).toThrow(`${limit + 1} bytes`);
      await expect(one.request(subject, tooLarge, { timeoutMs: 5_000 })).rejects.toThrow(RangeError);
      await vi.waitFor(() => expect(heard.map(message => message.data.length)).toEqual([limit]));
    });

    test("an answer that is too large is refused where it is given, and the connection stays", async () => {
      const subject = fresh();
      const refused: unknown[] = [];
      other.subscribe(subject, message => {
        try {
          message.reply(new Uint8Array(other.maxPayload() + 1));
        } catch (error) {
          refused.push(error);
          message.reply(bytes("too large"));
        }
      });
      await settled(other);
      expect(text(await one.request(subject, bytes(""), { timeoutMs: 5_000 }))).toBe("too large");
      expect(refused).toEqual([expect.any(RangeError)]);
    });

    test("while the server is away requests fail at once, messages are lost, and all works again after", async () => {
      const subject = fresh();
      const heard = await listen(other, subject);
      const silent = fresh();
      await listen(other, silent);
      const told: boolean[] = [];
      const status = one.onStatus(connected => told.push(connected));
      const underWay = one.request(silent, bytes(""), { timeoutMs: 60_000 });
      const refused = expect(underWay).rejects.toMatchObject({ name: "BusError", code: "unavailable" });

      await harness.goAway();
      await vi.waitFor(() => expect([one.connected(), other.connected()]).toEqual([false, false]), 10_000);
      await refused;
      one.publish(subject, bytes("lost"));
      const asked = one.request(subject, bytes(""), { timeoutMs: 60_000 });
      await expect(asked).rejects.toMatchObject({ name: "BusError", code: "unavailable" });

      await harness.comeBack();
      await vi.waitFor(() => expect([one.connected(), other.connected()]).toEqual([true, true]), 10_000);
      expect(told).toEqual([false, true]);
      status.close();
      await settled(other);
      one.publish(subject, bytes("kept"));
      await vi.waitFor(() => expect(heard.map(message => text(message.data))).toEqual(["kept"]));
    }, 30_000);
  });
}
