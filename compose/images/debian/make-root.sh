#!/bin/sh
# Writes the root file system of a slim Debian into a tar file, for `docker import`. Needs root and debootstrap.
# usage: make-root.sh <suite> <mirror> <security mirror> <tar file>
#
# It works in namespaces and on a memory file system of its own: whatever ends it, no mount and no process of it stays
# behind. Where namespaces are forbidden (root in a container), it works in a directory that it removes.
set -eu

if [ "${PARALLAX_OWN_NAMESPACES:-}" = "" ]; then
  if unshare --mount --pid --fork true 2>/dev/null; then
    PARALLAX_OWN_NAMESPACES=yes exec unshare --mount --pid --fork --kill-child sh "$0" "$@"
  fi
  PARALLAX_OWN_NAMESPACES=no
fi

suite=$1 mirror=$2 security=$3 tarball=$4
if [ "$PARALLAX_OWN_NAMESPACES" = yes ]; then
  root=$tarball.root
  mkdir -p "$root"
  mount -t tmpfs -o mode=755,size=1g parallax "$root"
  trap 'umount "$root" && rmdir "$root"' EXIT
else
  root=$(mktemp -d /var/tmp/parallax-debian.XXXXXX)
  trap 'rm -rf --one-file-system "$root"' EXIT
fi
trap 'exit 143' HUP INT TERM

# An older debootstrap does not know the suite by name; all of the last years are made alike.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
debootstrap --force-check-gpg --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" "$script" 1>&2

# The same for every package that is installed later: no documentation but the licences, no translations.
cat > "$root/etc/dpkg/dpkg.cfg.d/parallax" <<'DPKG'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/i18n/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/bash-completion/*
DPKG
cat > "$root/etc/apt/apt.conf.d/parallax" <<'APT'
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::GzipIndexes "true";
Binary::apt::APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT
rm -f "$root/etc/apt/sources.list"
cat > "$root/etc/apt/sources.list.d/debian.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $suite $suite-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: $security
Suites: $suite-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
# Packages start no daemons while they are being installed.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

# What has been mended since the release.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$root" apt-get update 1>&2
chroot "$root" apt-get dist-upgrade --yes --no-install-recommends 1>&2

find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -mindepth 1 -type d -empty -delete
rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/lintian "$root"/usr/share/i18n/* \
  "$root"/usr/share/groff/* "$root"/usr/share/bash-completion
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/ldconfig/* "$root"/var/log/* \
  "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/tmp/* "$root"/var/tmp/* \
  "$root"/etc/machine-id "$root"/etc/hostname "$root"/etc/resolv.conf

tar --create --file="$tarball" --directory="$root" --numeric-owner --sort=name --one-file-system --xattrs \
  --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./run/*' .
