/**
 * The part of DNS's wire format that is needed here: one question, and answers with addresses or
 * names. What others answer is passed on as it came, so nothing of it has to be understood.
 */

/** Types of records; others are numbers without a word here. */
export const TYPE = { A: 1, SOA: 6, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
/** How an answer says what came of the question. */
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
/** What an asker without EDNS takes by UDP. */
const LEAST_UDP_BYTES = 512;
/** What fits into one packet on every way that we lay, tunnels included. */
const MOST_UDP_BYTES = 1232;
/** The longest message by TCP. */
export const MOST_BYTES = 65_535;

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080 } as const;

/** A question as it came. */
export interface Query {
  readonly id: number;
  /** Lower-cased, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly recursionDesired: boolean;
  /** The question's own bytes, which the answer repeats. */
  readonly question: Uint8Array;
  /** The largest answer by UDP. */
  readonly udpBytes: number;
  readonly hasEdns: boolean;
}

/** What becomes of a message that is no question: `id` where it can be answered at all. */
export interface Refused {
  readonly id: number;
  readonly rcode: number;
}

/** One record of an answer; it is of the name that was asked for. */
export type Answer = { readonly type: "A"; readonly address: string } | { readonly type: "PTR"; readonly name: string };

/** What is answered. */
export interface Reply {
  readonly rcode: number;
  readonly answers: readonly Answer[];
}

/**
 * Reads a question. `undefined` for what is none and must not be answered, such as an answer: two
 * servers could else answer each other for ever.
 */
export function readQuery(bytes: Uint8Array): Query | Refused | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [id, flags] = [view.getUint16(0), view.getUint16(2)];
  if ((flags & FLAG.QR) !== 0) return undefined;
  if (((flags >> 11) & 0xf) !== 0) return { id, rcode: RCODE.NOTIMP };
  const name = readName(bytes, HEADER_BYTES);
  if (view.getUint16(4) !== 1 || name === undefined || name.end + 4 > bytes.length) return { id, rcode: RCODE.FORMERR };
  const [type, recordClass] = [view.getUint16(name.end), view.getUint16(name.end + 2)];
  if (recordClass !== CLASS_IN) return { id, rcode: RCODE.REFUSED };
  const end = name.end + 4;
  const edns = view.getUint16(6) + view.getUint16(8) === 0 ? readEdns(view, end, view.getUint16(10)) : undefined;
  return {
    ...{ id, type, name: name.text, question: bytes.slice(HEADER_BYTES, end), hasEdns: edns !== undefined },
    recursionDesired: (flags & FLAG.RD) !== 0,
    udpBytes: Math.min(Math.max(edns ?? 0, LEAST_UDP_BYTES), MOST_UDP_BYTES),
  };
}

/** The name that begins at an offset. Questions have no use for pointers, so one is malformed. */
function readName(bytes: Uint8Array, at: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  for (let offset = at; ;) {
    const length = bytes[offset];
    if (length === undefined || length > 63 || offset - at > 254) return undefined;
    if (length === 0) return { text: labels.join(".").toLowerCase(), end: offset + 1 };
    const label = bytes.subarray(offset + 1, offset + 1 + length);
    if (label.length < length) return undefined;
    // A dot or a NUL in a label would read as another name than it is.
    const text = Array.from(label, byte => (byte > 0x20 && byte < 0x7f && byte !== 0x2e ? byte : 0x3f));
    labels.push(String.fromCharCode(...text));
    offset += 1 + length;
  }
}

/** The size that the asker takes by UDP, where it speaks EDNS. */
function readEdns(view: DataView, at: number, additional: number): number | undefined {
  if (additional === 0 || at + 11 > view.byteLength || view.getUint8(at) !== 0) return undefined;
  return view.getUint16(at + 1) === TYPE.OPT ? view.getUint16(at + 3) : undefined;
}

/**
 * Writes an answer of at most `most` bytes. Of the addresses that do not fit the last are left out,
 * and the answer says so: who wants all of them asks by TCP. Without an answer it tells by an SOA
 * that this may not be remembered.
 */
export function writeReply(query: Query, { rcode, answers }: Reply, most: number): Uint8Array {
  const tail = [...(answers.length === 0 ? [SOA] : []), ...(query.hasEdns ? [EDNS] : [])];
  const records = answers.map(writeRecord);
  let room = most - HEADER_BYTES - query.question.length - tail.reduce((sum, one) => sum + one.length, 0);
  const fitting = records.filter(record => (room -= record.length) >= 0);
  const isCut = fitting.length < records.length;
  const flags = FLAG.QR | FLAG.AA | FLAG.RA | (query.recursionDesired ? FLAG.RD : 0) | (isCut ? FLAG.TC : 0) | rcode;
  const header = headerOf(query.id, flags, [1, fitting.length, answers.length === 0 ? 1 : 0, query.hasEdns ? 1 : 0]);
  return joined([header, query.question, ...fitting, ...tail]);
}

/** Answers a message that could not be read as a question. */
export function writeRefusal({ id, rcode }: Refused): Uint8Array {
  return headerOf(id, FLAG.QR | rcode, [0, 0, 0, 0]);
}

/** An answer without content that says: ask by TCP. */
export function writeTruncated(query: Query): Uint8Array {
  const flags = FLAG.QR | FLAG.RA | FLAG.TC | (query.recursionDesired ? FLAG.RD : 0);
  return joined([headerOf(query.id, flags, [1, 0, 0, 0]), query.question]);
}

/** The message with another id. */
export function withId(bytes: Uint8Array, id: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint16(0, id);
  return copy;
}

/** Whether the message answers the query under the id: an answer to anything else is a forgery. */
export function answers(bytes: Uint8Array, id: number, { question }: Pick<Query, "question">): boolean {
  if (bytes.length < HEADER_BYTES + question.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isAnswer = (view.getUint16(2) & FLAG.QR) !== 0 && view.getUint16(0) === id && view.getUint16(4) === 1;
  return isAnswer && question.every((byte, index) => bytes[HEADER_BYTES + index] === byte);
}

function headerOf(id: number, flags: number, counts: readonly [number, number, number, number]): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  [id, flags, ...counts].forEach((value, index) => view.setUint16(index * 2, value));
  return new Uint8Array(view.buffer);
}

/** A pointer to the name of the question, which every record of ours is of. */
const ASKED_NAME = [0xc0, HEADER_BYTES];
/** Nothing is remembered: a name leads elsewhere within a quarter of a second. */
const TTL = [0, 0, 0, 0];

function writeRecord(answer: Answer): Uint8Array {
  const data = answer.type === "A" ? answer.address.split(".").map(Number) : writeName(answer.name);
  return record(ASKED_NAME, TYPE[answer.type], data);
}

function record(name: readonly number[], type: number, data: readonly number[]): Uint8Array {
  return Uint8Array.from([...name, 0, type, 0, CLASS_IN, ...TTL, data.length >> 8, data.length & 0xff, ...data]);
}

function writeName(name: string): readonly number[] {
  return [...name.split(".").flatMap(label => [label.length, ...Buffer.from(label, "latin1")]), 0];
}

const SOA = record(writeName("skep"), TYPE.SOA, [
  ...writeName("ns.skep"),
  ...writeName("nobody.skep"),
  // Serial, refresh, retry, expire, and how long "there is none" is remembered: not at all.
  ...[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
]);

const EDNS = Uint8Array.from([0, 0, TYPE.OPT, MOST_UDP_BYTES >> 8, MOST_UDP_BYTES & 0xff, 0, 0, 0, 0, 0, 0]);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
