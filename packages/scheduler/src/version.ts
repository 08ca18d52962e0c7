/** The version of this scheduler, shown to people. */
export const VERSION = "0.1.0";
