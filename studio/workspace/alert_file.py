"""The alert book: rules and channels of the one file that the window and the command line read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Extension, Monitor, Option, StudioError, UsageError
from studio.documents.toml_text import parse
from studio.monitoring.alerts import text as alert_text
from studio.monitoring.alerts.options import (
    CHANNEL_OPTIONS,
    LEVELS_OPTION,
    RULE_OPTIONS,
    SECRET_OF,
    SIDES,
    TITLES,
)
from studio.monitoring.alerts.rules import AlertPlan, alerts_of
from studio.plugin_host import PluginHost
from studio.settings import Paths, Settings
from studio.settings.files import write_atomically
from studio.settings.secrets import SecretStore

RULES, CHANNELS = alert_text.RULES, alert_text.CHANNELS
_TITLES = {
    "desktop": "Desktop notification",
    "email": "E-mail",
    "webhook": "Webhook",
    "cloudevents": "CloudEvents",
}
_PASSWORD = "password_secret"
Table = Mapping[str, Any]


class AlertFile:
    """The alert file, read again at each call, as an editor may change it in between."""

    def __init__(self, paths: Paths, settings: Settings, plugins: Callable[[], PluginHost]) -> None:
        self._paths = paths
        self._settings = settings
        self._plugins = plugins

    @property
    def path(self) -> Path:
        """The file of the settings, or the one that is made by the first rule."""
        return Path(self._settings["alerts"] or self._paths.config / "alerts.toml")

    def use(self, path: Path | None) -> None:
        """Set another file; None for the default one."""
        self._settings["alerts"] = str(path or "")

    @property
    def option(self) -> dict[str, str]:
        """The option of ``monitor`` and ``monitor-fleet``: none while there is no such file."""
        return {"alerts": str(self.path)} if self.path.is_file() else {}

    @property
    def kinds(self) -> dict[str, str]:
        """The title of each kind of channel; those of plugins last."""
        found = {kind: _TITLES[kind] for kind in CHANNEL_OPTIONS}
        return found | {one.id: one.title for one in self._plugins().all(Extension.MONITOR)}

    def read(self) -> tuple[AlertPlan, list[Table], list[Table]]:
        """Return the checked content of the file, and its tables as they are written.

        Raises:
            UsageError: naming what is wrong, and where.
        """
        values = parse(self._text(), self.path.name)
        plan = alerts_of(values, [*self.kinds])
        return plan, list(values.get(RULES, ())), list(values.get(CHANNELS, ()))

    def rule_options(self) -> tuple[Option, ...]:
        """Return the form of a rule."""
        return RULE_OPTIONS

    def channel_options(self, kind: str) -> tuple[Option, ...]:
        """Return the form of a channel.

        Raises:
            Unavailable: when the plugin that it needs cannot be used.
        """
        name = Option(
            "name", help="Name shown in messages. Default: the kind.", placeholder="its kind"
        )
        if kind in CHANNEL_OPTIONS:
            return (name, *CHANNEL_OPTIONS[kind], LEVELS_OPTION)
        monitor: Monitor = self._plugins().get(Extension.MONITOR, kind)
        password = Option(
            _PASSWORD,
            title="Name of the password",
            advanced=True,
            help="Name of the secret on this computer.",
            placeholder="none",
        )
        return (name, *monitor.options, password, LEVELS_OPTION)

    def check(self, kind: str, place: int, table: Table) -> str:
        """Return why a table would not do at a place, in a sentence; empty when it would."""
        try:
            self._with(kind, place, table)
        except UsageError as error:
            return f"{error.message} {error.hint or ''}".strip()
        return ""

    def put(self, kind: str, place: int, table: Table) -> None:
        """Change a table, or add one; everything else in the file stays as it is written.

        Raises:
            UsageError: when it does not fit.
            StudioError: when the file cannot be written.
        """
        self._write(self._with(kind, place, table))

    def remove(self, kind: str, place: int) -> None:
        """Remove a table.

        Raises:
            UsageError, StudioError: as in ``put``.
        """
        self._write(alert_text.remove(self._text(), kind, place))

    def secret_option(self, kind: str) -> str:
        """Return the option that names the secret of a kind of channel; empty where it has none."""
        return "" if kind == "desktop" else SECRET_OF.get(kind, _PASSWORD)

    def keep_secret(self, name: str, secret: str) -> str:
        """Store a password or key as a secret; return the name of its store."""
        return SecretStore(self._paths).set(name, secret)

    def _with(self, kind: str, place: int, table: Table) -> str:
        text = alert_text.set_table(self._text(), kind, place, table)
        values = parse(text, self.path.name)
        alerts_of(values, [*self.kinds])
        if dict(values[kind][place]) != dict(table):  # never write what would be read otherwise
            raise UsageError(
                "This entry cannot be changed here. Edit the alert file in a text editor."
            )
        return text

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is not UTF-8 text.") from None
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}.") from None

    def _write(self, text: str) -> None:
        try:
            write_atomically(self.path, text.encode())
        except OSError as error:
            raise StudioError(f"{self.path} cannot be written: {error.strerror}.") from None


def rule_values(table: Table) -> dict[str, Any]:
    """Return a rule's table as the values of its form."""
    side = next((side for side in SIDES if side in table), SIDES[0])
    others = {key: value for key, value in table.items() if key not in SIDES}
    return {**others, "side": side, "limit": table.get(side)}


def rule_table(values: Table) -> dict[str, Any]:
    """Return the values of a rule's form as its table, without defaults."""
    found = {"name": values.get("name"), "metric": values.get("metric")}
    found[str(values.get("side") or SIDES[0])] = values.get("limit")
    found |= {key: values.get(key) for key in ("for_s", "level", "targets")}
    found = _without_defaults(found, RULE_OPTIONS, keep=("metric",))
    return {key: _plain(value) for key, value in found.items()}


def channel_table(kind: str, values: Table, options: Sequence[Option]) -> dict[str, Any]:
    """Return the values of a channel's form as its table."""
    found = {key: values.get(key) for key in (option.name for option in options)}
    return {"kind": kind, **{k: _plain(v) for k, v in _without_defaults(found, options).items()}}


def rule_text(table: Table) -> str:
    """Return a rule in words: ``p99 latency (ms) above 40 for 60 s``."""
    side = next((side for side in SIDES if side in table), SIDES[0])
    metric = str(table.get("metric") or "")
    lasting = f" for {table['for_s']:g} s" if table.get("for_s") else ""
    return f"{TITLES.get(metric, metric)} {side} {table.get(side, 0):g}{lasting}"


def _without_defaults(
    values: Table, options: Sequence[Option], keep: Sequence[str] = ()
) -> dict[str, Any]:
    defaults = {option.name: option.default for option in options}
    found = {}
    for key, value in values.items():
        default = defaults.get(key)
        alike = list(value) == list(default or ()) if isinstance(value, list) else value == default
        if key in keep or not (value in (None, "", []) or alike):
            found[key] = value
    return found


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


__all__ = [
    "CHANNELS",
    "RULES",
    "AlertFile",
    "channel_table",
    "rule_table",
    "rule_text",
    "rule_values",
]
