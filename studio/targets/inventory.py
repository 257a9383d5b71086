"""The inventory of a target's folder of releases, read without changing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from datetime import UTC, datetime
from typing import Any

from studio.api import Channel, Resource
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.runtime.parts import PARTS
from studio.runtime.release.store.latest_releases import Lines, lines_of
from studio.runtime.release.store.layout import ENDPOINTS, SYSTEM_SIGNERS

SCRIPT = """\
case $1 in */ENDPOINTS/*) base=${1%/ENDPOINTS/*} ;; *) base=$1 ;; esac
for one in "$base" "$base"/ENDPOINTS/*; do
  [ "$one" = "$1" ] && continue
  [ -d "$one/current/" ] && echo "beside=$(du -sk "$one/current/" | cut -f1)"
  for file in "$one"/blobs/* "$one"/runtime/*; do
    name=${file##*/}
    case $name in *[!0-9a-z.]*) ;; *) [ -f "$file" ] && echo "nearby=$name" ;; esac
  done
done
one=SYSTEM; [ -e "$one" ] || one="$1/allowed_signers"; [ -e "$one" ] || one="$base/allowed_signers"
if [ -e "$one" ]; then
  echo "signers=$one"
  head -n 500 "$one" 2>/dev/null | sed 's/^/signer=/'
  echo
  command -v ssh-keygen >/dev/null && echo "keygen=yes"
fi
place=$1
while [ -n "$place" ] && [ ! -d "$place" ]; do place=${place%/*}; done
if [ ! -w "${place:-/}" ]; then
  echo "readonly=${place:-/}"
  echo "why=$(LC_ALL=C touch -c "${place:-/}" 2>&1 | head -n 1 | sed 's/.*: //')"
fi
cd "$1" 2>/dev/null || exit 0
for folder in blobs runtime env releases; do
  for one in "$folder"/*; do [ -e "$one" ] && echo "$one"; done
done
printf 'service=%s\\n' "$(cat run/service.json 2>/dev/null)"
cat log/*.jsonl log.jsonl 2>/dev/null | grep '"event":"signers"' | tail -n 50 | sed 's/^/admitted=/'
needs=$(sed -n 's/.*"runtime":\\({[^}]*}\\).*/\\1/p' current/manifest.json 2>/dev/null | head -n 1)
printf 'needs=%s\\n' "$needs"
parts=$(sed -n 's/.*"runtime_parts":\\(\\[[^]]*\\]\\).*/\\1/p' current/manifest.json 2>/dev/null)
[ -d current/ ] && printf 'parts=%s\\n' "${parts:-all}"
[ -s access/fleet.json ] && echo "switched=fleet"
grep -q '"on": *true' run/decisions.json 2>/dev/null && echo "switched=decisions"
printf 'lease=%s\\n' "$(cat operator.json 2>/dev/null)"
echo state
cat state.json 2>/dev/null
true
""".replace("SYSTEM", str(SYSTEM_SIGNERS)).replace("ENDPOINTS", ENDPOINTS)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of a release machine's history; invalid fields are empty.

    Attributes:
        state: ``active`` for a release that was activated.
        at: Seconds since 1970.
    """

    release: str
    version: JsonValue
    name: str
    state: str
    at: JsonValue
    owner: str
    reason: str

    @classmethod
    def read(cls, entry: Mapping[str, JsonValue]) -> HistoryEntry:
        """Parse an entry, which a broken target may have written."""
        texts = {name: str(entry.get(name) or "") for name in _TEXTS}
        return cls(version=entry.get("version"), at=entry.get("at"), **texts)


_TEXTS = ("release", "name", "state", "owner", "reason")


@dataclass(frozen=True, slots=True)
class Inventory:
    """The files of a target's folder of releases, and the state of its release machine.

    Attributes:
        state: Content of ``state.json``; empty before the first deploy.
        service: Content of ``service.json``: settings of the last server start.
        signers_file: Path of the file of signers; empty if unsigned releases are accepted.
        signers: The content of that file.
        admissions: Recorded changes of that file, the oldest first.
        lease: Current operator of the target, and the end of the lease; empty without one.
        read_only: Folder that this login cannot write to; empty if it can.
        read_only_why: Error message of the target's system.
        checks_signatures: Whether the target can verify signatures, if it requires them.
        nearby: Names of the files that other endpoints on the target have received.
        needs: Names of the Python packages of the current release.
        parts: Parts of the runtime that the current release needs.
        switched: Parts that the target needs whatever its release is.
        beside: Size of the release of each other endpoint on the target, in megabytes.
    """

    blobs: frozenset[str] = frozenset()
    runtimes: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    releases: frozenset[str] = frozenset()
    state: Mapping[str, JsonValue] = field(default_factory=dict)
    service: Mapping[str, JsonValue] = field(default_factory=dict)
    signers_file: str = ""
    signers: str = ""
    admissions: Sequence[Mapping[str, Any]] = ()
    lease: Mapping[str, JsonValue] = field(default_factory=dict)
    read_only: str = ""
    read_only_why: str = ""
    checks_signatures: bool = True
    beside: Sequence[float] = ()
    nearby: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    switched: frozenset[str] = frozenset()

    @property
    def is_bare(self) -> bool:
        """Whether the folder has nothing for a verb to act on, not even an interrupted deploy."""
        return not (self.blobs or self.runtimes or self.environments or self.releases)

    @property
    def current(self) -> str:
        """Digest of the current release."""
        return str(self.state.get("current") or "")

    @property
    def history(self) -> list[HistoryEntry]:
        """Entries of the release machine's history, the oldest first."""
        listed = self.state.get("history")
        return [HistoryEntry.read(one) for one in listed] if isinstance(listed, list) else []

    @property
    def model(self) -> str:
        """Name of the current model; empty without one, or if the history starts later."""
        serving = (one for one in self.history if self.current and one.release == self.current)
        return next((one.name for one in serving), "")

    @property
    def lines(self) -> Lines:
        """The last release of each model on the target."""
        try:
            return lines_of(self.state)
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}


def read(channel: Channel, root: str) -> Inventory:
    """Read the inventory of a target."""
    return parse(channel.run(["sh", "-c", SCRIPT, "sh", root], timeout=60).text)


def parse(text: str) -> Inventory:
    """Parse the script's output."""
    # Each text of the target follows a name, so no line of it can imitate the mark.
    listing, _, rest = ("\n" + text).partition("\nstate\n")
    names: dict[str, set[str]] = {}
    values: dict[str, list[str]] = {name: [] for name in _VALUES}
    for line in listing.splitlines():
        name, sign, value = line.partition("=")
        if sign and name in values:
            values[name].append(value)
            continue
        folder, _, name = line.partition("/")
        names.setdefault(folder, set()).add(name)
    blobs, runtimes, environments, releases = (frozenset(names.get(one, ())) for one in _FOLDERS)
    (
        service,
        signers,
        signer,
        admitted,
        lease,
        readonly,
        why,
        keygen,
        beside,
        nearby,
        needs,
        parts,
        on,
    ) = values.values()
    return Inventory(
        blobs,
        runtimes,
        environments,
        releases,
        state=_document(rest),
        service=_document("".join(service)),
        signers_file="".join(signers),
        signers="\n".join(signer),
        admissions=[entry for one in admitted if (entry := _document(one))],
        lease=_document("".join(lease)),
        read_only="".join(readonly),
        read_only_why="".join(why),
        checks_signatures=not signers or bool(keygen),
        needs=frozenset(_document("".join(needs))),
        parts=_parts("".join(parts)),
        switched=frozenset(on),
        nearby=frozenset(nearby),
        beside=[int(size) / 1e3 for size in beside if size.isdecimal()],
    )


_FOLDERS = ("blobs", "runtime", "env", "releases")
_VALUES = (
    *("service", "signers", "signer", "admitted", "lease", "readonly", "why", "keygen"),
    *("beside", "nearby", "needs", "parts", "switched"),
)


def _parts(text: str) -> frozenset[str]:
    """Return the parts of a list that are known here; all of a release that has no list."""
    try:
        named = PARTS if text == "all" else json.loads(text)
    except ValueError:
        return frozenset()
    return frozenset(map(str, named)) & frozenset(PARTS)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def history(found: Inventory, state: str = "serving") -> list[dict[str, Any]]:
    """Return the releases with their outcome, the newest first.

    Args:
        state: State of the current release's server, if it was read.
    """
    rows, serving = [], found.current
    for entry in reversed(found.history):
        outcome = entry.state
        if outcome == "active":
            # If a release was activated several times, only the last time counts.
            is_last = bool(serving) and entry.release == serving
            outcome, serving = (state, "") if is_last else ("replaced", serving)
        rows.append(
            {
                "version": entry.version,
                "release": entry.release,
                "name": entry.name,
                "state": outcome,
                "at": when(entry.at),
                "by": entry.owner,
                "reason": entry.reason,
                "kept": entry.release in found.releases,
            }
        )
    return rows


def resources(found: Inventory, root: str) -> list[dict[str, Any]]:
    """Return the studio's files below the root, in the keys of ``api.Resource``."""
    rows = [
        _resource("release", f"{root}/releases/{name}", running=name == found.current)
        for name in sorted(found.releases)
        if not name.endswith(".json")
    ]
    rows += [_resource("environment", f"{root}/env/{name}") for name in sorted(found.environments)]
    return rows + [
        _resource("runtime", f"{root}/runtime/{name}") for name in sorted(found.runtimes)
    ]


def _resource(kind: str, name: str, running: bool = False) -> dict[str, Any]:
    return asdict(Resource(kind, name, running=running))


def when(value: object) -> str:
    """Return a release machine's time (seconds since 1970) as ISO 8601; empty if it is invalid."""
    try:
        return datetime.fromtimestamp(float(str(value)), UTC).isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
