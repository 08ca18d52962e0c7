/** The receipt of a message; nothing where it has none. */
export function receiptFromProto({ receipt }: { readonly receipt: string }): { readonly receipt?: string } {
  return receipt === "" ? {} : { receipt };
}
