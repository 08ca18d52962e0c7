import type { Link, Neighbour, Route, Ruleset, Sets, Tunnel } from "./plane.ts";

/** One change of the kernel's. */
export type Step =
  /** All of the table at once: what is there of it goes. */
  | { readonly kind: "put-table"; readonly ruleset: Ruleset }
  /** Elements alone, all at once. */
  | { readonly kind: "change-elements"; readonly remove: Sets; readonly add: Sets }
  /** Ends what the kernel remembers of UDP to ports of the node that lead elsewhere now. */
  | { readonly kind: "forget-flows"; readonly ports: readonly string[] }
  | { readonly kind: "add-gateway" }
  | { readonly kind: "start-forwarding" }
  | { readonly kind: "pass-docker" }
  | { readonly kind: "remove-link"; readonly name: string }
  /** Makes both ends, and moves one into the sandbox. */
  | { readonly kind: "add-link"; readonly link: Link }
  /** Sets the sandbox's end up. */
  | { readonly kind: "set-up-inside"; readonly link: Link }
  /** Marks the link as done: what is not marked is made anew. */
  | { readonly kind: "mark-ready"; readonly link: Link }
  /** Changes how large packets may be, at both ends. */
  | { readonly kind: "resize-link"; readonly link: Link }
  | { readonly kind: "remove-tunnel" }
  | { readonly kind: "add-tunnel"; readonly tunnel: Tunnel }
  | { readonly kind: "remove-route"; readonly route: Route }
  | { readonly kind: "put-route"; readonly route: Route }
  | { readonly kind: "remove-neighbour"; readonly neighbour: Neighbour }
  | { readonly kind: "put-neighbour"; readonly neighbour: Neighbour }
  | { readonly kind: "remove-tunnel-end"; readonly mac: string; readonly to: string }
  | { readonly kind: "put-tunnel-end"; readonly mac: string; readonly to: string };
