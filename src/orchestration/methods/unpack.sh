# Unpacks context.tar.gz to source. Owners, special permissions and attributes of the archive are not taken over; tar
# itself refuses members that point outside.
mkdir -p source
if ! tar --extract --gzip --file context.tar.gz --directory source \
    --no-same-owner --no-same-permissions --no-acls --no-selinux --no-xattrs --delay-directory-restore; then
    echo "the build context cannot be unpacked: it must be a tar.gz of ordinary files with paths inside the archive" >&2
    exit 1
fi
rm context.tar.gz
