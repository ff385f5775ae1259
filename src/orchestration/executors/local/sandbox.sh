# The first process of a command's own process namespace: builds the small root that the command sees, waits for the
# word that the server is still there to look after it, runs it, and leaves what it used.
#   $1 folder with the root and the table of its mounts, $2 files to enter control groups by, $3 working directory inside,
#   the rest the command
set -eu
control=$1 groups=$2 cwd=$3
shift 3
for file in $groups; do
    echo 0 >"$file"
done
# What a checkout makes readable stays so in the image, whatever the server's own mask is.
umask 022
# Open before the machine is out of sight, and closed to the command.
exec 9>"$control/usage"
cd "$control/root"
mount --bind . .
mount --all --fstab "$control/fstab"
cd "$control/root"
pivot_root . old
cd /
umount --lazy /old
rmdir /old
cd "$cwd"
echo ready
# By now every death signal is set. A server that died before gives no answer, one that dies later takes us along.
read -r _
# A signal to the group is for the command; the first process waits and tells its exit code.
trap : TERM INT
set +e
"$@" </dev/null 9>&-
code=$?
cat /proc/1/io /proc/1/stat >&9
exit "$code"
