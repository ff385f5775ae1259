# Checks the source: $1 is the Dockerfile, $2 the build context, both relative to it.
dockerfile=$1 context=$2
cd source
root=$(pwd -P)

fail() {
    echo "$1" >&2
    exit 1
}

inside() {
    case $(realpath -- "$1")/ in
        "$root"/*) ;;
        *) fail "$1 is a link that leads out of the source; put the file itself into the source" ;;
    esac
}

if [ ! -e "$dockerfile" ]; then
    found=$(find . -maxdepth 4 -type f \( -iname '*dockerfile*' -o -iname '*containerfile*' \) | sed 's|^\./||' | sort | head -n 5 | tr '\n' ' ')
    fail "there is no $dockerfile in the source; set \"dockerfile\" to its path inside the source${found:+ (found: ${found% })}"
fi
[ -f "$dockerfile" ] || fail "$dockerfile is not a file; set \"dockerfile\" to the path of a Dockerfile inside the source"
inside "$dockerfile"
[ -d "$context" ] || fail "there is no directory $context in the source; set \"build_context\" to a directory inside the source"
inside "$context"
