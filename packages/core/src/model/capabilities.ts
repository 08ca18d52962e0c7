/**
 * Taken from Docker's default set, all else stays. NET_RAW forges packets towards neighbours on the
 * bridge; MKNOD makes device files; AUDIT_WRITE writes the node's audit log; SETFCAP hands out file
 * capabilities, which no-new-privileges voids anyway. What stays is what official images use when
 * they start as root and step down: CHOWN, DAC_OVERRIDE, FOWNER, SETUID, SETGID (postgres, nginx,
 * mosquitto), NET_BIND_SERVICE (nginx on 80), KILL and SYS_CHROOT (haproxy).
 */
export const DROPPED_CAPABILITIES: readonly string[] = ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"];

/** What stays of Docker's default set: every container has these. */
export const HELD_CAPABILITIES: readonly string[] = [
  ...["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE"],
  ...["SYS_CHROOT", "KILL"],
];
