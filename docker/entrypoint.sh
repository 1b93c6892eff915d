#!/bin/sh
# Beam's runners start a worker's container with options alone: those are for Beam's boot program.
# Everybody else names a program: posemill, ray, bash.
set -eu
case "${1:-}" in
    -*) exec /opt/apache/beam/boot "$@" ;;
    *) exec "$@" ;;
esac
