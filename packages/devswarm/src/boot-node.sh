#!/bin/bash
# The first process of a node. It is started inside the node's network namespace with fresh mount,
# host name, IPC and process namespaces, makes them a machine of their own, and runs the engine.
# When it dies, all of the node dies. Arguments: the node's name, the fleet's runtime directory, the
# node's data directory, the address where names would be asked for (where nobody answers, so that a
# name that no container bears fails at once).
set -eu
node=$1 run_dir=$2 data_dir=$3 name_server=$4

# /proc is still the host's here: this line holds the id by which the host knows this process.
read -r identity < /proc/self/stat
echo "$identity" > "$run_dir/$node.boot"
hostname "$node"

# All mounts with -n: the table that util-linux keeps under /run is of no use here, and is covered
# on the way.
mount -n -t proc proc /proc

# A fresh /sys shows this network namespace's devices; the trees mounted inside the old one are
# carried over.
stage=$(mktemp -d "$run_dir/$node.stage.XXXXXX")
mount -n --rbind /sys "$stage"
mount -n -t sysfs sysfs /sys
for tree in fs/cgroup kernel/security fs/bpf; do
  if mountpoint -q "$stage/$tree"; then mount -n --rbind "$stage/$tree" "/sys/$tree"; fi
done
umount -n -R -l "$stage"

# A private /run: own docker.sock, own lock files, no view of the host's namespaces (which a copied
# mount would keep alive after their removal). Only the fleet's runtime directory is shared with the
# host.
if mountpoint -q /run/netns; then umount -n -R -l /run/netns; fi
grep -o ' /run/netns/[^ ]*' /proc/self/mounts | while read -r mounted; do umount -n -l "$mounted"; done
mount -n -t tmpfs -o mode=755 tmpfs "$stage"
mkdir -p "$stage/${run_dir#/run/}" "$stage/lock"
mount -n --bind "$run_dir" "$stage/${run_dir#/run/}"
mount -n --move "$stage" /run
rmdir "$stage"

# A private /etc and /var/lib over the host's: the engine keeps its identity in the one, and
# containers that mount a directory of their host use the other; but not where the data itself lies
# in there: no overlay can hold its own layer.
private() {
  mount -n -t overlay overlay -o "lowerdir=$1,upperdir=$data_dir/disk/$2,workdir=$data_dir/disk/$2-work" "$1"
}
private /etc etc
# Also over what an engine of the host's own left in there: with its key.json every node would have
# that one engine's id.
mkdir -p /etc/docker "$data_dir/disk/etc-docker"
mount -n --bind "$data_dir/disk/etc-docker" /etc/docker
case $data_dir in /var/lib/*) ;; *) private /var/lib var-lib ;; esac
echo "$node" > /etc/hostname
rm -f /etc/resolv.conf
echo "nameserver $name_server" > /etc/resolv.conf

# Not exec: a shell as the first process reaps what the engine leaves behind.
dockerd --config-file "$run_dir/$node.json" &
wait $!
