# SPDX-License-Identifier: Apache-2.0
# Runs one command in a file system of its own. It is the first process of new mount, pid, network and ipc namespaces:
# all that is mounted here is seen by nobody else and is gone with the last process, and every process ends with this one.
#
# sandbox.sh IDENTITY SECONDS BYTES [SHOWN PATH ...] -- COMMAND ...
#   IDENTITY  options of setpriv: the user to become
#   SECONDS   after which the command is killed even if nobody outside is left to do it
#   BYTES     room in the only directory that can be written
set -e
umask 022
identity=$1 seconds=$2 bytes=$3
shift 3

# What the command will see as /. The place serves for it has what is never shown: the kernel's settings.
root=/sys
mount -t tmpfs -o mode=755,size=8m tmpfs $root
mkdir $root/dev $root/etc $root/sandbox

# show PATH: the file or directory of this machine at the same path under the new root, read-only
show() {
    if [ ! -e "$1" ] || [ -e "$root$1" ]; then
        return 0
    fi
    if [ -d "$1" ]; then
        mkdir -p "$root$1"
    else
        mkdir -p "$root${1%/*}"
        : > "$root$1"
    fi
    mount -o rbind,ro,nosuid "$1" "$root$1"
}

show /usr
for path in /bin /sbin /lib /lib32 /lib64 /libx32 /etc/localtime; do
    if [ -L $path ]; then
        cp -P $path $root$path
    else
        show $path
    fi
done
show /nix/store
show /etc/alternatives
for path in /etc/ld.so.cache /etc/passwd /etc/group; do
    [ ! -r $path ] || cat $path > $root$path
done
for path in /dev/null /dev/zero /dev/full /dev/random /dev/urandom; do
    : > $root$path
    mount --bind $path $root$path
done
while [ "$1" != -- ]; do
    show "$1"
    shift
done
shift
[ -e $root/tmp ] || ln -s sandbox $root/tmp

# Read-only is what was mounted above, not what lies mounted within: the kernel lists a mount's place fifth, with blanks
# as \040, and its options sixth.
mounts=$(cat /proc/self/mountinfo)
while read -r _ _ _ _ point options _; do
    case $point,$options, in
        $root/dev/* | *,ro,*) ;;
        $root/?*)
            point=$(printf %b "$point")
            [ ! -e "$point" ] || mount -o remount,bind,ro,nosuid "$point"
            ;;
    esac
done << END
$mounts
END
mount -t tmpfs -o "mode=777,size=$bytes,nr_inodes=1024,nosuid,nodev" tmpfs $root/sandbox
mount -o remount,bind,ro $root

# Where memory runs out the command goes first.
echo 1000 2> /dev/null > /proc/self/oom_score_adj || :

# No exec: this process stays, and is what the others end with. The user namespace takes every privilege away: nobody in
# it is root. Within a root directory that is not that of the mount namespace, the kernel grants no further user namespace.
status=0
timeout -s KILL "$seconds" setpriv --no-new-privs $identity unshare --user --root=$root --wd=/sandbox "$@" || status=$?
exit $status
