"""Contents of a release's Debian package: the bundle, the runtime, a unit, and its scripts."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.packages.bundle import MANIFEST, Bundle
from studio.packages.debian.archive import ArchiveMember, write_package
from studio.packages.zipapp import ZipApplication
from studio.runtime.shared.manifest import SIGNATURE

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}
_OLDEST = (3, 8)

_UNIT = """\
[Unit]
Description=Edgewright: inference server of {model}
Documentation=file:/usr/share/doc/{package}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
Type=notify
NotifyAccess=main
EnvironmentFile=/etc/default/{package}
Environment=ORT_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1{environment}
RuntimeDirectory={package}
WorkingDirectory=/run/{package}
ExecStartPre=/bin/mkdir -p releases
ExecStartPre=/bin/ln -sfn {folder}/bundle releases/{digest}
ExecStartPre=/bin/ln -sfn releases/{digest} current
ExecStart=/usr/bin/python3 {folder}/edgewright.pyz serve --root /run/{package} \\
    --host ${{HOST}} --port ${{PORT}} $OPTIONS
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
TimeoutStartSec=180
WatchdogSec=30
Restart=on-failure
RestartSec=2
OOMPolicy=continue
OOMScoreAdjust=300
LimitNOFILE=8192
TasksMax=1024
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
CapabilityBoundingSet=
UMask=0027

[Install]
WantedBy=multi-user.target
"""

_SETTINGS = """\
# How {package} serves; read by systemd. After a change: systemctl restart {package}

# 127.0.0.1 answers this machine alone, 0.0.0.0 everybody: then ask for a token.
HOST=127.0.0.1
PORT=8477

# More options of the server, as in: --threads 2
OPTIONS=

# Callers must send this token, where it is set. Then let nobody else read this file: chmod 600.
#EDGEWRIGHT_TOKEN=
"""

_POSTINST = """\
#!/bin/sh
set -e
if [ "$1" = configure ] && command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper unmask {package}.service >/dev/null || true
    if deb-systemd-helper --quiet was-enabled {package}.service; then
        deb-systemd-helper enable {package}.service >/dev/null || true
    else
        deb-systemd-helper update-state {package}.service >/dev/null || true
    fi
fi
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then
        deb-systemd-invoke try-restart {package}.service >/dev/null || true
    else
        deb-systemd-invoke start {package}.service >/dev/null || true
    fi
fi
"""

_PRERM = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop {package}.service >/dev/null || true
fi
"""

_POSTRM = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper purge {package}.service >/dev/null || true
fi
"""

_COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Edgewright
Comment: The model is its owner's. The libraries in site/, where there are any, carry their own
 licences beside them.

Files: *
Copyright: 2026 The authors of Edgewright
License: Apache-2.0
 On Debian systems the text of the licence is in /usr/share/common-licenses/Apache-2.0.
"""


@dataclass(frozen=True, slots=True)
class DebianPlatform:
    """Machines that the libraries in the package support.

    Attributes:
        arch: Output of ``uname -m``.
        python: ``(3, 11)``: of the systems' python3, which must have just this version.
    """

    arch: str
    python: tuple[int, int]


def package_name(model: str) -> str:
    """Return the name that Debian allows (Policy 5.6.1)."""
    name = re.sub(r"[^a-z0-9.+-]+", "-", model.lower()).strip("-.+")
    return f"edgewright-{name or 'model'}"


def build(
    path: Path,
    bundle: Bundle,
    runtime: ZipApplication,
    wheels: Sequence[Path],
    place: DebianPlatform | None,
    maintainer: str,
) -> dict[str, str]:
    """Write the package of a release; returns the fields of its control file.

    Args:
        wheels: The libraries to carry along.
        place: What they are for; None leaves them to the system's own packages.

    Raises:
        StudioError: when a wheel cannot be read.
    """
    name = package_name(bundle.name)
    when = _time(bundle)
    fields = _fields(name, bundle, place, maintainer)
    words = {
        "package": name,
        "model": re.sub(r"[^\x20-\x7e]|%", "?", bundle.name),
        "folder": f"/usr/lib/{name}",
        "digest": bundle.digest,
        "environment": f" PYTHONPATH=/usr/lib/{name}/site" if place else "",
    }
    scripts = {"postinst": _POSTINST, "prerm": _PRERM, "postrm": _POSTRM}
    entries = [
        *_payload(f"usr/lib/{name}", bundle, runtime, wheels),
        *_papers(name, words, fields, maintainer, when, bool(place)),
    ]
    made = {key: text.format(**words) for key, text in scripts.items()}
    write_package(path, fields, made, entries, int(when.timestamp()))
    return fields


def _fields(
    name: str, bundle: Bundle, place: DebianPlatform | None, maintainer: str
) -> dict[str, str]:
    if place is None:
        needs = ["python3 (>= 3.8)", *(f"python3-{one}" for one in _system_names(bundle))]
    else:
        major, minor = place.python
        needs = [f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})", "libgomp1"]
        needs += ["libstdc++6", "libc6"]
    return {
        "Package": name,
        "Version": f"{bundle.version}+{bundle.digest[:8]}",
        "Architecture": ARCHITECTURES[place.arch] if place else "all",
        "Maintainer": maintainer,
        "Depends": ", ".join(needs),
        "Section": "science",
        "Priority": "optional",
        "Description": f"model {bundle.name}, served over HTTP\n"
        f" Version {bundle.version} of the model {bundle.name}, with a server that speaks the\n"
        " Open Inference Protocol, as a unit of systemd. It answers at 127.0.0.1:8477\n"
        f" until /etc/default/{name} says otherwise.",
    }


def _system_names(bundle: Bundle) -> list[str]:
    names = {"pillow": "pil", "opencv-python-headless": "opencv"}
    needed = {"numpy", bundle.backend.distribution, *bundle.requirements}
    return sorted(names.get(one, one) for one in needed)


def _payload(
    folder: str, bundle: Bundle, runtime: ZipApplication, wheels: Sequence[Path]
) -> Iterator[ArchiveMember]:
    yield ArchiveMember(f"{folder}/bundle/{MANIFEST}", bundle.text.encode())
    if bundle.signature:
        yield ArchiveMember(f"{folder}/bundle/{SIGNATURE}", bundle.signature.encode())
    for file in bundle.files:
        yield ArchiveMember(f"{folder}/bundle/{file.name}", file.path)
    yield ArchiveMember(f"{folder}/edgewright.pyz", runtime.path)
    seen: set[str] = set()
    for wheel in wheels:
        yield from _unpacked(wheel, f"{folder}/site", seen)


def _unpacked(wheel: Path, site: str, seen: set[str]) -> Iterator[ArchiveMember]:
    """Yield the files of a wheel below ``site``, without its programs and tests."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                name = member.filename
                head, _, rest = name.partition("/")
                if head.endswith(".data"):
                    kind, _, name = rest.partition("/")
                    if kind not in ("purelib", "platlib"):
                        continue
                parts = Path(name).parts
                if member.is_dir() or not parts or ".." in parts or name.startswith("/"):
                    continue
                if name not in seen and "tests" not in parts[:-1]:
                    seen.add(name)
                    yield ArchiveMember(f"{site}/{name}", archive.read(member))
    except (OSError, zipfile.BadZipFile) as error:
        raise StudioError(f"The wheel {wheel.name} cannot be read: {error}.") from None


def _papers(
    name: str,
    words: dict[str, str],
    fields: dict[str, str],
    maintainer: str,
    when: datetime,
    has_wheels: bool,
) -> Iterator[ArchiveMember]:
    """Yield the unit, its settings, and the files that Debian's policy requires."""
    unit = _UNIT.format(**words).encode()
    yield ArchiveMember(f"usr/lib/systemd/system/{name}.service", unit)
    yield ArchiveMember(f"etc/default/{name}", _SETTINGS.format(**words).encode(), is_setting=True)
    yield ArchiveMember(f"usr/share/doc/{name}/copyright", _COPYRIGHT.encode())
    change = (
        f"{name} ({fields['Version']}) unstable; urgency=medium\n\n  * Version "
        f"{fields['Version'].partition('+')[0]} of the model.\n\n"
        f" -- {maintainer}  {format_datetime(when)}\n"
    )
    packed = gzip.compress(change.encode(), 9, mtime=0)
    yield ArchiveMember(f"usr/share/doc/{name}/changelog.gz", packed)
    # Libraries of wheels are as their makers built them, and Python's files come without bytecode.
    tags = (
        *("unstripped-binary-or-object", "shared-library-lacks-prerequisites"),
        *("library-not-linked-against-libc", "unusual-interpreter", "script-not-executable"),
        *("embedded-library", "spelling-error-in-binary"),
    )
    if has_wheels:
        lines = "".join(f"{name}: {tag} *\n" for tag in tags)
        yield ArchiveMember(f"usr/share/lintian/overrides/{name}", lines.encode())


def _time(bundle: Bundle) -> datetime:
    """Return the bundle's build time, so that the same release gives the same package."""
    try:
        return datetime.fromisoformat(str(bundle.raw.get("created"))).astimezone(UTC)
    except ValueError:
        return datetime(2020, 1, 1, tzinfo=UTC)
