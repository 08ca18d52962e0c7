/** Why a broker cannot be used, as far as it says. */
export type FailureKind = "unreachable" | "authentication" | "limits" | "protocol" | "taken-over";

/** A connection to a broker that did not come about, or has ended. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, detail: string) {
    super(`ERROR: MQTT connection failed: ${SAYS[kind]}: ${detail}`);
    this.kind = kind;
  }
}

/** R145 counts as MQTT 3.1.1 does, whatever version is spoken: 5 refuses, 3 is not available. */
const SAYS: Readonly<Record<FailureKind, string>> = {
  unreachable: "unreachable",
  authentication: "CONNACK 5: authentication",
  limits: "CONNACK 3: limits reached",
  protocol: "the broker does not speak MQTT 5 as expected",
  "taken-over": "another owner of the session has connected",
};

interface Reason {
  readonly kind: FailureKind;
  readonly words: string;
}

/** Reason codes of MQTT 5, section 2.4, that a CONNACK or DISCONNECT may have. */
const REASONS: ReadonlyMap<number, Reason> = new Map([
  [0x84, { kind: "protocol", words: "it does not support this version of MQTT" }],
  [0x85, { kind: "authentication", words: "it refuses the client id" }],
  [0x86, { kind: "authentication", words: "it refuses the user name or the password" }],
  [0x87, { kind: "authentication", words: "the user is not authorised" }],
  [0x88, { kind: "limits", words: "it is not available" }],
  [0x89, { kind: "limits", words: "it is busy" }],
  [0x8a, { kind: "authentication", words: "the client is banned" }],
  [0x8e, { kind: "taken-over", words: "the broker gave the session to the newer connection" }],
  [0x93, { kind: "protocol", words: "it sent more than was asked for at once" }],
  [0x97, { kind: "limits", words: "a quota is used up" }],
  [0x9f, { kind: "limits", words: "too many connect at once" }],
]);

/** What a reason code of a broker means. */
export function failureOf(code: number, reason: string | undefined): ChannelError {
  const { kind, words }: Reason = REASONS.get(code) ?? { kind: "protocol", words: "it gives no reason" };
  const said = reason === undefined || reason === "" ? "" : `, saying "${reason.slice(0, 200)}"`;
  return new ChannelError(kind, `${words} (0x${code.toString(16)})${said}`);
}

/** What the failure of a socket means, by its code: that of Node, of the system or of OpenSSL. */
export function failureOfSocket({ code = "", message }: NodeJS.ErrnoException): ChannelError {
  const what = code === "" ? message : code;
  if (code.startsWith("ERR_SSL") || code === "EPROTO") return new ChannelError("unreachable", `no TLS there: ${what}`);
  if (!/CERT|SIGNATURE|ERR_TLS|ISSUER|CRL|CA_/.test(code)) return new ChannelError("unreachable", what);
  return new ChannelError("unreachable", `the certificate of the broker is not trusted: ${what}`);
}
