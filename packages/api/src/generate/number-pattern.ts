/**
 * A pattern that fits the decimal text of the integers from `from` to `to`, neither of them
 * negative, without leading zeros.
 */
export function numberPattern(from: bigint, to: bigint): string {
  return `^(?=(?:${atLeast(String(from))})$)(?:${atMost(String(to))})$`;
}

function atLeast(text: string): string {
  if (text === "0") return "0|[1-9]\\d*";
  const longer = `[1-9]\\d{${text.length},}`;
  return [longer, text, ...digits(text).map(({ head, digit, left }) => higher(head, digit, left))]
    .filter(part => part !== "")
    .join("|");
}

function atMost(text: string): string {
  const shorter = text.length === 1 ? [] : ["\\d", ...(text.length > 2 ? [`[1-9]\\d{1,${text.length - 2}}`] : [])];
  const equal = digits(text).map(({ head, digit, left }) => lower(head, digit, left, text.length === 1));
  return [...shorter, text, ...equal].filter(part => part !== "").join("|");
}

interface Digit {
  /** What stands before it, and how many stand after it. */
  readonly head: string;
  readonly digit: number;
  readonly left: number;
}

function digits(text: string): Digit[] {
  return Array.from(text).map((digit, at) => ({
    head: text.slice(0, at),
    digit: Number(digit),
    left: text.length - at - 1,
  }));
}

const anyDigits = (count: number): string => (count === 0 ? "" : `\\d{${count}}`);

function higher(head: string, digit: number, left: number): string {
  return digit === 9 ? "" : `${head}[${digit + 1}-9]${anyDigits(left)}`;
}

function lower(head: string, digit: number, left: number, isAlone: boolean): string {
  const least = head === "" && !isAlone ? 1 : 0;
  return digit <= least ? "" : `${head}[${least}-${digit - 1}]${anyDigits(left)}`;
}
