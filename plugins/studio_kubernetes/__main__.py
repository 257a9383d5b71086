"""``python -m studio_kubernetes BUNDLE --out FOLDER``: the manifests of a bundle, for GitOps."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from studio.api import Parcel, Silent, StudioError, UsageError, validate
from studio_kubernetes.packager import OPTIONS, ManifestsPackager


def main(arguments: list[str] | None = None) -> int:
    """Write the files, and print their names; the exit codes are the studio's."""
    parser = argparse.ArgumentParser(prog="python -m studio_kubernetes", description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder that studio package made")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="pairs")
    parser.add_argument("--runtime", type=Path, help="the zip application, for bundle=configmap")
    given = parser.parse_args(arguments)
    try:
        for name in _export(given.bundle, given.out, given.pairs, given.runtime):
            print(given.out / name)
    except StudioError as error:
        print(f"{error.message} {error.hint}".rstrip(), file=sys.stderr)
        return error.exit_code
    return 0


def _export(bundle: Path, out: Path, pairs: list[str], runtime: Path | None) -> list[str]:
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty.", hint="Give the name of a new folder.")
    values = dict(_pair(pair) for pair in pairs)
    options = validate(OPTIONS, values)
    if options["bundle"] == "configmap" and runtime is None:
        raise UsageError(
            "The bundle in a ConfigMap needs the runtime.", hint="Give --runtime FILE."
        )
    try:
        raw = (bundle / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        parcel = Parcel(bundle, runtime or bundle, hashlib.sha256(raw).hexdigest(), manifest)
        made = ManifestsPackager().build(parcel, out, options, Silent())
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{bundle} is not the folder of a bundle.") from None
    return list(made["files"])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not a name and a value.", hint="Write NAME=VALUE.")
    return name.replace("-", "_"), value


if __name__ == "__main__":
    sys.exit(main())
