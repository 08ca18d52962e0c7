import { pino, type Logger } from "pino";
import { hideUrlSecrets } from "./url-secrets.ts";

/** Data of a log line: names and values, no sentences. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * How much is said: `error` a person must act, `warn` we coped, `info` something changed, `debug`
 * the rest.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * Where a service says what happened. `event` is a stable name, a noun and a past verb
 * (`instance.started`), for programs; `sentence` is for people; `fields` carry the data. One line
 * per change, not per call.
 */
export interface Log {
  debug(event: string, sentence: string, fields?: LogFields): void;
  info(event: string, sentence: string, fields?: LogFields): void;
  warn(event: string, sentence: string, fields?: LogFields): void;
  error(event: string, sentence: string, fields?: LogFields): void;
  /** A log that adds these fields to each of its lines. */
  child(fields: LogFields): Log;
}

/**
 * The real one: a JSON object per line on standard output, `level` as a word, `time` in ms, secrets
 * blanked.
 */
export function createLog(options: {
  readonly level?: LogLevel;
  readonly fields?: LogFields;
  /** Where lines go instead of standard output. */
  readonly write?: (line: string) => void;
}): Log {
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      messageKey: "sentence",
      formatters: { level: label => ({ level: label }), log: fields => redact(fields) as Record<string, unknown> },
    },
    options.write === undefined ? pino.destination(1) : { write: options.write },
  );
  return wrap(logger, options.fields ?? {});
}

/** A line that a recording log kept. */
export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly sentence: string;
  readonly fields: LogFields;
}

/**
 * The twin for tests and simulations: it keeps its lines, or hands each to `onLine` and keeps none.
 */
export function createRecordingLog(onLine?: (line: LogLine) => void): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const keep = onLine ?? ((line: LogLine) => void lines.push(line));
  const make = (bound: LogFields): Log => {
    const say = (level: LogLevel) => (event: string, sentence: string, fields?: LogFields) =>
      keep({ level, event, sentence, fields: { ...bound, ...fields } });
    return {
      debug: say("debug"),
      info: say("info"),
      warn: say("warn"),
      error: say("error"),
      child: fields => make({ ...bound, ...fields }),
    };
  };
  return { ...make({}), lines };
}

const SECRET_NAME = /password|passwd|token|authorization|secret|cookie|credential|private.?key/i;

/**
 * A copy for showing: values under names that sound secret are blanked at any depth, passwords in
 * URLs as well.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return hideUrlSecrets(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth > 8) return "…";
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map(item => redact(item, depth + 1));
  if (value instanceof Map) return redact(Object.fromEntries(value), depth);
  if (value instanceof Date) return value.toISOString();
  const shown: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const isBlank = item === undefined || item === null || item === "";
    shown[name] = SECRET_NAME.test(name) && !isBlank ? "***" : redact(item, depth + 1);
  }
  return shown;
}

function redactError(error: Error, depth: number): unknown {
  return {
    ...(redact(Object.fromEntries(Object.entries(error)), depth + 1) as object),
    name: error.name,
    message: redact(error.message),
    stack: redact(error.stack),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}

function wrap(logger: Logger, bound: LogFields): Log {
  const say = (level: LogLevel) => (event: string, sentence: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level]({ event, ...bound, ...fields }, sentence);
  };
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    child: fields => wrap(logger, { ...bound, ...fields }),
  };
}
