/** As whom hosts of workspaces come to the stack's MongoDB. */
export const HOSTS_USER = "skep";
