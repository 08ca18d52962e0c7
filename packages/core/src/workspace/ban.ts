/** What is known of one address that misbehaved (R123). */
export interface Offender {
  /** Times of the offences that still count, ms, oldest first. */
  readonly offences: readonly number[];
  /** How many bans it had; each further one lasts longer. */
  readonly bans: number;
  /** Until when it is kept out, ms; 0 for not at all. */
  readonly bannedUntil: number;
}

/** When an address is banned and for how long; all in ms. */
export interface BanPolicy {
  /** So many offences within the window lead to a ban. */
  readonly offences: number;
  readonly windowMs: number;
  readonly firstBanMs: number;
  readonly longestBanMs: number;
  /** After so long without an offence the next ban is the first again. */
  readonly forgiveMs: number;
}

/** Ten offences in a minute: a minute, then four times as long each time, up to a day. */
export const DEFAULT_BANS: BanPolicy = {
  offences: 10,
  windowMs: 60_000,
  firstBanMs: 60_000,
  longestBanMs: 86_400_000,
  forgiveMs: 86_400_000,
};

/** An address of which nothing is known. */
export const NO_OFFENDER: Offender = { offences: [], bans: 0, bannedUntil: 0 };

const GROWTH = 4;

/** The address after one more offence. What it does while it is banned counts for nothing. */
export function offend(offender: Offender, policy: BanPolicy, now: number): Offender {
  if (isBanned(offender, now)) return offender;
  const bans = isForgiven(offender, policy, now) ? 0 : offender.bans;
  const offences = [...offender.offences.filter(at => at > now - policy.windowMs), now];
  if (offences.length < policy.offences) return { ...offender, offences, bans };
  const lasts = Math.min(policy.longestBanMs, policy.firstBanMs * GROWTH ** Math.min(bans, 20));
  return { offences: [], bans: bans + 1, bannedUntil: now + lasts };
}

/** Whether the address is kept out. */
export function isBanned(offender: Offender, now: number): boolean {
  return now < offender.bannedUntil;
}

/** Whether nothing of the address has to be remembered any more. */
export function isForgotten(offender: Offender, policy: BanPolicy, now: number): boolean {
  if (isBanned(offender, now) || offender.offences.some(at => at > now - policy.windowMs)) return false;
  return offender.bans === 0 || isForgiven(offender, policy, now);
}

function isForgiven(offender: Offender, policy: BanPolicy, now: number): boolean {
  const lastAt = Math.max(offender.bannedUntil, offender.offences.at(-1) ?? 0);
  return now - lastAt >= policy.forgiveMs;
}
