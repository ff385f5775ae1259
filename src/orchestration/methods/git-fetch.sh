# Fetches one commit: $1 is the address, $2 the reference. GIT_DIR and GIT_WORK_TREE are set.
address=$1 reference=$2

fetch() {
    git fetch --quiet --no-tags --no-recurse-submodules "$@" 2>git/said && return
    cat git/said >&2
    return 1
}

# Ends with what git said first: the lines after it are general advice.
give_up() {
    echo "cannot fetch $reference: $(grep -v -e '^Warning: ' -e '^$' git/said | head -n 2 | paste -sd ' ')" >&2
    exit 1
}

echo "fetching $reference from $address"
mkdir -p out "$GIT_WORK_TREE"
git init --quiet --template=
branch=
case $reference in
    *[!0-9a-fA-F]* | ? | ?? | ???) may_be_id=no ;;
    *) may_be_id=yes ;;
esac
if fetch --depth 1 "$address" "$reference"; then
    target=FETCH_HEAD
    branch=$(sed -n "s/^[0-9a-f]*\t\tbranch '\(.*\)' of .*/\1/p" "$GIT_DIR/FETCH_HEAD")
elif [ "$may_be_id" = yes ]; then
    echo "the server has no branch or tag of this name and gives out no commit by this id; fetching the whole history"
    fetch "$address" '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*' || give_up
    target=$reference
else
    give_up
fi
if ! commit=$(git rev-parse --verify --quiet "$target^{commit}"); then
    echo "there is no commit $reference in $address; give a branch, a tag or the id of a commit that one of them contains" >&2
    exit 1
fi
if [ "$reference" = HEAD ]; then
    branch=$(git ls-remote --symref "$address" HEAD | sed -n 's|^ref: refs/heads/\(.*\)\tHEAD$|\1|p')
fi
git checkout --quiet --detach --force "$commit"
{
    printf '%s\n' "$branch"
    git show --no-patch --format='%H%n%an%n%ae%n%cI%n%B' "$commit"
} >out/commit
echo "at commit $commit: $(git show --no-patch --format=%s "$commit")"
# What follows runs other people's code: it finds no credential.
rm -rf "${GIT_DIR%/*}"
