#!/bin/bash
# The first process of a node. It is started inside the node's network namespace with fresh mount, host name, IPC and
# process namespaces, makes them a machine of their own, and runs the engine. When it dies, all of the node dies.
# Arguments: the node's name, the fleet's runtime directory, the node's data directory.
set -eu
node=$1 run_dir=$2 data_dir=$3

# /proc is still the host's here: this line holds the id by which the host knows this process.
read -r identity < /proc/self/stat
echo "$identity" > "$run_dir/$node.boot"
hostname "$node"

# All mounts with -n: the table that util-linux keeps under /run is of no use here, and is covered on the way.
mount -n -t proc proc /proc

# A fresh /sys shows this network namespace's devices; the trees mounted inside the old one are carried over.
stage=$(mktemp -d "$run_dir/$node.stage.XXXXXX")
mount -n --rbind /sys "$stage"
mount -n -t sysfs sysfs /sys
for tree in fs/cgroup kernel/security fs/bpf; do
  if mountpoint -q "$stage/$tree"; then mount -n --rbind "$stage/$tree" "/sys/$tree"; fi
done
umount -n -R -l "$stage"

# A private /run: own docker.sock, own lock files, no view of the host's namespaces (which a copied mount would keep
# alive after their removal). Only the fleet's runtime directory is shared with the host.
if mountpoint -q /run/netns; then umount -n -R -l /run/netns; fi
grep -o ' /run/netns/[^ ]*' /proc/self/mounts | while read -r mounted; do umount -n -l "$mounted"; done
mount -n -t tmpfs -o mode=755 tmpfs "$stage"
mkdir -p "$stage/${run_dir#/run/}" "$stage/lock"
mount -n --bind "$run_dir" "$stage/${run_dir#/run/}"
mount -n --move "$stage" /run
rmdir "$stage"

# A private /etc over the host's: the engine keeps its own identity there.
mount -n -t overlay overlay -o "lowerdir=/etc,upperdir=$data_dir/etc/upper,workdir=$data_dir/etc/work" /etc
echo "$node" > /etc/hostname

# Not exec: a shell as the first process reaps what the engine leaves behind.
dockerd --config-file "$run_dir/$node.json" &
wait $!
