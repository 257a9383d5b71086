"""Another machine for the time of a job: its Python, a folder that goes again, what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from studio.api import Channel, Connector, Extension, TargetError, TargetSpec, Unavailable
from studio.plugin_host import PluginHost
from studio.settings.interpreter import FIRST

_FIND_ROOT = 'd=$1; case "$d" in "~") d=$HOME;; "~/"*) d=$HOME/${d#"~/"};; esac; printf %s "$d"'
_FIND_PYTHONS = 'ls -d "$1"/env/*/bin/python3 2>/dev/null; command -v python3'
_NEEDED = ("numpy", "onnxruntime")
_PROBE = f"""
{FIRST}
import importlib.util
lacking = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
if sys.version_info < (3, 8):
    print("is %d.%d, and 3.8 is needed" % tuple(sys.version_info[:2]))
elif lacking:
    print("lacks " + " and ".join(lacking))
"""


def connector_for(host: PluginHost, target: TargetSpec) -> Connector:
    """The connector that answers for a target's URL.

    Raises:
        Unavailable: when there is none.
    """
    scheme = target.url.partition(":")[0]
    capability = host.answering(scheme)
    if capability is None or capability.extension is not Extension.TARGET:
        raise Unavailable(f"No plugin connects to {scheme} targets.")
    connector: Connector = host.create(capability)
    return connector


def root_of(channel: Channel, connector: Connector, target: TargetSpec) -> str:
    """The absolute path of the folder that the studio has on a target."""
    return absolute(channel, connector.default_root(target))


def absolute(channel: Channel, root: str) -> str:
    """A path on the target with its home folder in place of ``~``."""
    return said(channel, ["sh", "-c", _FIND_ROOT, "sh", root])


def find_python(channel: Channel, root: str) -> str:
    """An interpreter with numpy and onnxruntime: that of a release, or the target's own.

    Raises:
        TargetError: in one sentence, when there is none.
    """
    listed = channel.run(["sh", "-c", _FIND_PYTHONS, "sh", root]).text.split("\n")
    pythons = [line.strip() for line in listed if line.strip()]
    lacking = ""
    for python in pythons:
        answer = channel.run([python, "-c", _PROBE, *_NEEDED])
        lacking = answer.text.strip()
        if answer.status == 0 and not lacking:
            return python
    if not pythons:
        raise TargetError("There is no python3 on the target.", hint="Install python3 there.")
    raise TargetError(
        "Nothing can be measured on the target, because its python3 "
        f"{lacking or 'does not start'}.",
        hint="Deploy to the target once, which brings them along, or install them there.",
    )


@contextmanager
def folder_on(channel: Channel, folder: str) -> Iterator[None]:
    """A folder on the target, removed in the end where the connection still stands."""
    said(channel, ["mkdir", "-p", folder])
    try:
        yield
    finally:
        with suppress(TargetError):
            channel.run(["rm", "-rf", folder], timeout=30)


def said(channel: Channel, argv: Sequence[str]) -> str:
    """What a command says.

    Raises:
        TargetError: when it fails, with what it complained about.
    """
    done = channel.run(argv)
    if done.status:
        complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = complaint[-1] if complaint else f"{argv[0]} failed with status {done.status}"
        raise TargetError(f"The target refused: {reason.rstrip('.')}.")
    return done.text.strip()
