# The first process of a command's own process namespace: builds the small root that the command sees, waits for the
# word that the server is still there to look after it, runs it, and leaves what it used.
#   $1 the run's folder, $2 files to enter control groups by, the rest the command
set -eu
run=$1 groups=$2
shift 2
for file in $groups; do
    echo 0 >"$file"
done
cd "$run/root"
mount --bind . .
mount --all --fstab "$run/fstab"
cd "$run/root"
pivot_root . old
cd /
umount --lazy /old
cd "$run"
echo ready
# By now every death signal is set. A server that died before gives no answer, one that dies later takes us along.
read -r _
# A signal to the group is for the command; the first process waits and tells its exit code.
trap : TERM INT
set +e
"$@" </dev/null
code=$?
cat /proc/1/io /proc/1/stat >"$run/usage" 2>/dev/null
exit "$code"
