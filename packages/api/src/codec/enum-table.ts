import { SkepError } from "@skep/core/error.ts";

/** Two-way table between the words of core and the numbers of a proto enum. */
export interface EnumTable<Word extends string, Enum extends number> {
  /** The number of a word. */
  toProto(word: Word): Enum;
  /** The number of what may be a word. @throws SkepError `invalid_argument` `UNKNOWN_ENUM`. */
  fromText(text: unknown, path: string): Enum;
  /**
   * The word of a number.
   * @throws SkepError `invalid_argument` `UNKNOWN_ENUM` for 0 (unspecified) and for numbers of a
   * newer sender.
   */
  fromProto(number: number, path: string): Word;
  /** As `fromProto`, but 0 (unspecified) answers `fallback`. */
  fromProtoOr(number: number, path: string, fallback: Word): Word;
}

/** Builds the table from word to number; every word must have a number of its own. */
export function enumTable<Word extends string, Enum extends number>(
  what: string,
  numbers: Readonly<Record<Word, Enum>>,
): EnumTable<Word, Enum> {
  const words = new Map<number, Word>(
    (Object.entries(numbers) as [Word, Enum][]).map(([word, number]) => [number, word]),
  );
  const known = Object.keys(numbers).join(", ");
  function unknown(path: string, problem: string): SkepError {
    return new SkepError("invalid_argument", "UNKNOWN_ENUM", `${path} ${problem}; it must be one of: ${known}`, {
      issues: [{ path, problem, advice: `use one of: ${known}` }],
    });
  }
  function fromProto(number: number, path: string): Word {
    const word = words.get(number);
    if (word !== undefined) return word;
    const problem =
      number === 0 ? `names no ${what}` : `names ${what} number ${number}, which this version does not know`;
    throw unknown(path, problem);
  }
  return {
    toProto: word => numbers[word],
    fromText: (text, path) => {
      for (const word of words.values()) if (word === text) return numbers[word];
      throw unknown(path, `names ${what} ${JSON.stringify(text)}, which this version does not know`);
    },
    fromProto,
    fromProtoOr: (number, path, fallback) => (number === 0 ? fallback : fromProto(number, path)),
  };
}
