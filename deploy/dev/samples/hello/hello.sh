#!/bin/sh
# Greets whoever is named, or the world.
set -eu
echo "hello, ${1:-world} (version ${HELLO_VERSION:-unknown})"
