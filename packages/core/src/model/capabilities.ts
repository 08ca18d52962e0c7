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

/** What a spec may drop of them. */
export const DROPPABLE_CAPABILITIES: readonly string[] = ["ALL", ...HELD_CAPABILITIES];

/** All that Linux knows: what is none of Docker's default set no container has. */
export const CAPABILITIES: readonly string[] = [
  ...HELD_CAPABILITIES,
  ...DROPPED_CAPABILITIES,
  ...["AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "IPC_LOCK"],
  ...["IPC_OWNER", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "PERFMON"],
  ...["SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO"],
  ...["SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"],
];
