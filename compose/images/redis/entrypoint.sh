#!/bin/sh
# As in the official image, a container's Redis takes connections from other containers although it has no password:
# what may reach it is decided by networks and published ports. A configuration file decides for itself.
set -eu
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ]; then
  case " $* " in
    *" --protected-mode "* | *.conf\ * | *" --version "* | *" -v "* | *" --help "* | *" -h "*) ;;
    *) set -- "$@" --protected-mode no ;;
  esac
fi
exec "$@"
