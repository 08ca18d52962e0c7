/**
 * What the SDK uses of the machine beside the language, and what Node and every browser have. The
 * compiler knows nothing else here, so that the SDK cannot need one of them.
 */

interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", handle: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", handle: () => void): void;
}
declare const AbortSignal: { any(signals: readonly AbortSignal[]): AbortSignal };

declare class AbortController {
  readonly signal: AbortSignal;
  abort(): void;
}

declare class Headers {
  constructor(headers: Readonly<Record<string, string>>);
  get(name: string): string | null;
  set(name: string, value: string): void;
}

declare function setTimeout(handle: () => void, delayMs: number): number;
declare function clearTimeout(timer: number | undefined): void;

interface Response {
  readonly ok: boolean;
  readonly status: number;
  text(): Promise<string>;
}
declare function fetch(
  address: string,
  options: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
): Promise<Response>;
