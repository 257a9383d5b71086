#!/bin/sh
# Installs Debian's or Ubuntu's packages for a purpose when root, and names them otherwise.
#   window  what PySide6's wheels take from the system for X11
#   test    the window's, and the real parts that the tests drive (sshd, sandbox, X server,
#           a container engine and a registry, a broker and a mail server)
#   package  what makes the Debian package and the AppImage
#   integration  whole machines (an emulated arm64 board and its disk, one with systemd), Prometheus, Slurm
set -eu

# Sonames that libQt6Gui, libQt6XcbQpa and the xcb platform plugin load and no wheel carries.
window="libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libgssapi-krb5-2
    libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcb-cursor0 libxcb-icccm4 libxcb-image0
    libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-render0 libxcb-shape0 libxcb-shm0
    libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1 fonts-dejavu-core"
rig="bubblewrap cpio curl systemd openssh-client openssh-server iproute2 strace xvfb xdotool xauth
    docker.io docker-cli docker-registry mmdebstrap lintian nodejs mosquitto mosquitto-clients python3-aiosmtpd
    zsh fish man-db desktop-file-utils shared-mime-info"
maker="$window dpkg gcc libc6-dev squashfs-tools libsquashfuse-dev libzstd-dev zlib1g-dev liblzma-dev patchelf"
machine="bubblewrap e2fsprogs iproute2 kmod mmdebstrap openssh-client openssh-server qemu-system-arm rsync systemd-container
    podman runc docker-cli docker-registry oras skopeo busybox-static lintian xvfb xdotool etcd-server kubectl chromium npm prometheus
    prometheus-alertmanager mosquitto nats-server python3-gi gir1.2-gst-rtsp-server-1.0 python3-gst-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly espeak-ng slurm-wlm munge mender-artifact mender-client"

case "${1:-}" in
    window) wanted=$window ;;
    test) wanted="$window $rig" ;;
    package) wanted=$maker ;;
    integration) wanted="$maker $machine" ;;
    *) echo "usage: $0 window|test|package|integration" >&2; exit 2 ;;
esac
command -v dpkg-query >/dev/null || { echo "Not a Debian system: see $0 for what the $1 needs."; exit 0; }

installed() { # also by the name that a renamed package provides (libglib2.0-0t64)
    dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Provides}\n' "$1" "$1t64" 2>/dev/null | grep -q '^ii'
}
lacking=""
for package in $wanted; do
    installed "$package" || lacking="$lacking $package"
done
[ -n "$lacking" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    echo "Installing$lacking ..."
    apt-get update -qq || true # one source of many may be down
    # shellcheck disable=SC2086  # a list of names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null
else
    echo "For the $1 this system lacks:$lacking"
    echo "Install them with: sudo apt-get install$lacking"
fi
