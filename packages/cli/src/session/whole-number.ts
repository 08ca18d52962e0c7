import { InvalidArgumentError } from "commander";

/** A parser of options that are whole numbers up to `most`. */
export function wholeNumber(most: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > most)
      throw new InvalidArgumentError(`Write a whole number from 0 to ${most}.`);
    return value;
  };
}
