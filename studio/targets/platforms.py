"""Platform targets: the plugin of a scheme, its site, and its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from studio.api import (
    Extension,
    Option,
    Platform,
    Progress,
    Site,
    TargetSpec,
    Unavailable,
    UsageError,
    validate,
)
from studio.plugin_host import PluginHost
from studio.targets.connect import scheme_of


@contextmanager
def site_of(target: TargetSpec, progress: Progress) -> Iterator[tuple[Platform, Site]]:
    """Open a session with the platform of a target, and close it at the end.

    Raises:
        Unavailable: when no plugin has the scheme, or its library is missing.
        UsageError: when a setting of the target is invalid, or an endpoint is named.
        TargetError: when the platform does not answer, or refuses.
    """
    platform = platform_for(target)
    with closing(platform.open(target, progress)) as site:
        yield platform, site


def platform_for(target: TargetSpec) -> Platform:
    """Return the platform for a target's URL."""
    host = PluginHost.again()
    scheme = scheme_of(target)
    capability = host.answering(scheme)
    if capability is None or capability.extension is not Extension.PLATFORM:
        raise Unavailable(f"No plugin connects to {scheme}: platforms.")
    if target.endpoint_name:
        raise UsageError(
            f"{target.name} cannot be an endpoint: the platform address {target.url} "
            "serves one endpoint only.",
            hint="Add another target: studio target add NAME ADDRESS",
        )
    platform: Platform = host.create(capability)
    # A target's settings hold options of the platform and of its deploys together.
    validate(platform.options, _only(platform.options, target.settings))
    return platform


def deploy_options(
    platform: Platform, target: TargetSpec, pairs: Sequence[str], canary: int
) -> dict[str, Any]:
    """Return the options of a deploy: given values, then the target's settings, then defaults.

    Args:
        pairs: Values of ``--set`` in the form ``name=value``.

    Raises:
        UsageError: for an unknown name, or an invalid value.
    """
    settings = _only(platform.deploy_options, target.settings)
    checked = validate(platform.deploy_options, {**settings, **parse_pairs(pairs)})
    return {**checked, "canary": canary}


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Parse pairs of ``name=value``; dashes in a name become underscores.

    Raises:
        UsageError: for a text without an equals sign.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(
                f"Invalid option {pair!r}: expected NAME=VALUE.",
                hint="Pass it as --set NAME=VALUE.",
            )
        found[name.strip().replace("-", "_")] = value
    return found


def _only(options: Sequence[Option], settings: Mapping[str, str]) -> dict[str, str]:
    names = {option.name for option in options}
    return {name: value for name, value in settings.items() if name in names}
