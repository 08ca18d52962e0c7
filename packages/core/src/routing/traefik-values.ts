const OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
/** An IPv4 or IPv6 address, or a range of them. */
export const ADDRESS_RANGE = new RegExp(
  `^(${OCTET}(\\.${OCTET}){3}(/(3[0-2]|[12]?\\d))?|(?=.*:.*:)[0-9a-fA-F:]{2,39}(/(12[0-8]|1[01]\\d|\\d?\\d))?)$`,
);

/** Whether the text is an address or a range of addresses. */
export function isAddressRange(text: string): boolean {
  return ADDRESS_RANGE.test(text);
}

// What Go's RE2 does not know: looking around, comments, references to groups.
const NOT_RE2 = /^(?:[^\\]|\\.)*?(?:\(\?(?:[=!>#|]|<[=!])|\\(?:[1-9](?![0-7])|k))/;
const CLASSES = /\[\^?\]?(?:\\.|[^\]\\])*\]/g;
// What RE2 knows and JavaScript does not: flags that change midway, and another way to name groups.
const FLAGS = /\(\?[imsU-]+(?=[):])/g;

/** Whether the edge can read the text as a regular expression, as far as JavaScript can tell. */
export function isRegularExpression(text: string): boolean {
  if (NOT_RE2.test(text.replace(CLASSES, "x"))) return false;
  try {
    new RegExp(text.replace(FLAGS, "(?").replaceAll("(?)", "").replaceAll("(?P<", "(?<"));
    return true;
  } catch {
    return false;
  }
}
