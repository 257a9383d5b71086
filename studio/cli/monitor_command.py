"""``studio monitor``: how what a target serves is doing."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import add_more_verbs
from studio.cli.session import add_step, run_step
from studio.documents.text_table import counted, table


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "monitor")
    verbs = add_more_verbs(
        parser,
        export="write the files of Prometheus, Alertmanager and Grafana",
        history="the history of a figure, from a Prometheus server",
        fleet="all targets at once",
        test="send a test notice to the channels of an alert file",
        silence="hold alerts back for a while, or list what is held back",
    )
    for verb, parts in verbs.items():
        add_step(parts, f"monitor-{verb}")


def run(arguments: argparse.Namespace) -> int:
    """Look and print."""
    verb = getattr(arguments, "verb", None)
    if verb is None:
        return run_step("monitor", arguments, describe)
    return run_step(f"monitor-{verb}", arguments, _DESCRIBE[verb])


def describe(result: Mapping[str, Any]) -> list[str]:
    """The state in a few lines."""
    latency = result["latency_ms"]
    where = f" at {result['endpoint']}" if result.get("endpoint") else ""
    lines = [
        f"health      {result['health']}",
        *([f"endpoint    {result['state']}{where}"] if result.get("state") else []),
        f"throughput  {result['throughput']:.1f} requests/s",
        "latency     "
        + ", ".join(f"{name} {_ms(latency, name)}" for name in ("p50", "p90", "p99"))
        + (f", {counted(result['threads'], 'thread')}" if result.get("threads") else ""),
        f"errors      {result['errors']}",
        *_pace(result),
    ]
    labels = result.get("labels") or {}
    if labels.get("matched"):
        span = f"{labels['low']:.1%} to {labels['high']:.1%}"
        lines.append(f"accuracy    {labels['accuracy']:.1%} ({span}; {labels['matched']} labels)")
    if labels.get("uncertain"):
        lines.append(
            f"uncertain   {labels['uncertain_right']} of {labels['uncertain']} labelled right, of "
            "the requests that the model was least certain of"
        )
    lines += [*_estimated(result), *_agreement(result)]
    if labels.get("note"):
        lines.append(f"labels      {labels['note']}")
    lines += _samples(result)
    lines += drift_lines(result)
    lines += [f"alert       {alert['text']}" for alert in result["alerts"]]
    return lines + _untold(result)


def _untold(result: Mapping[str, Any]) -> list[str]:
    """The channels that took a notice not."""
    return [f"not told    {row['channel']}: {row['text']}" for row in result.get("channels") or ()]


def _agreement(result: Mapping[str, Any]) -> list[str]:
    """How often the version before answers the same; nothing where none is compared with."""
    told = result.get("mirror") or {}
    if not told:
        return []
    if told.get("fault"):
        return [f"agreement   {told['fault']}"]
    if not told.get("compared"):
        return ["agreement   no request was compared with the version before yet"]
    share = f"{told['agreed'] / told['compared']:.1%}"
    span = f" ({told['low']:.1%} to {told['high']:.1%})" if "low" in told else ""
    return [f"agreement   {share}{span} with the version before, of {told['compared']} requests"]


def _estimated(result: Mapping[str, Any]) -> list[str]:
    """How often the model is right, judged by its confidence alone; or why that is not said."""
    told = (result.get("drift_state") or {}).get("estimate") or {}
    if not told:
        return []
    if told.get("accuracy") is None:
        return [f"estimated   no accuracy without labels: {told['why']}"]
    span = f"{told['low']:.1%} to {told['high']:.1%}"
    text = f"{told['accuracy']:.1%} right ({span}), without labels, of {told['frames']} requests"
    return [f"estimated   {text}; {told['reference']:.1%} of the reference data"]


def _samples(result: Mapping[str, Any]) -> list[str]:
    """Uncertain requests: what is kept there, and what was fetched or deleted now."""
    kept, taken = result.get("samples") or {}, result.get("taken") or {}
    lines = []
    if kept:
        fault = f"; {kept['fault']}" if kept.get("fault") else ""
        room = f"{kept['bytes'] / 1e6:.1f} of {kept['most_bytes'] / 1e6:g} MB"
        lines.append(f"samples     {kept['kept']} of {kept['most']} kept there, {room}{fault}")
    if "fetched" in taken:
        damaged = f", {taken['damaged']} damaged" if taken["damaged"] else ""
        lines.append(f"fetched     {taken['fetched']} into {taken['folder']}{damaged}")
    if "deleted" in taken:
        lines.append(f"deleted     {taken['deleted']} on the target")
    return lines


def drift_lines(result: Mapping[str, Any]) -> list[str]:
    """Each signal that is or was beyond its limit with the reason, as the window shows them."""
    state, lines = result.get("drift_state") or {}, []
    if state.get("why"):
        lines.append(f"drift       {state['why']}")
    for signal in result.get("drift") or ():
        statistic = signal.get("statistic")
        if statistic is not None and (signal.get("drifts") or signal.get("beyond")):
            shown = f"{statistic:.1f} of {signal.get('limit', 0):.1f}"
            lines.append(f"  {signal['name']} ({shown}): {signal.get('why', '')}")
    return lines


def _pace(result: Mapping[str, Any]) -> list[str]:
    """How fast the model runs against its profile, and how the board is; empty without."""
    pace, board = result.get("pace") or {}, result.get("board") or {}
    lines = [f"speed       {pace['text']}"] if pace.get("text") else []
    if pace.get("note"):
        lines.append(f"baseline    {pace['note']}")
    facts = []
    if board.get("clock_mhz"):
        facts.append(f"{board['clock_mhz']:.0f} MHz")
    if board.get("celsius") is not None:
        facts.append(f"{board['celsius']:.0f} °C")
    if board.get("throttled"):
        facts.append("throttled: " + ", ".join(board["throttled"]))
    if board.get("others") is not None:
        facts.append(f"other programs {board['others']:.1f} processors")
    facts += _upkeep(result.get("upkeep") or {})
    return [*lines, *([f"board       {', '.join(facts)}"] if facts else [])]


def _upkeep(upkeep: Mapping[str, Any]) -> list[str]:
    """How much disk is left, and how long the certificate lasts."""
    facts = []
    if upkeep.get("disk_free_mb") is not None:
        facts.append(f"{upkeep['disk_free_mb']:,.0f} MB of its disk free")
    if upkeep.get("certificate_days") is not None:
        facts.append(f"certificate for {upkeep['certificate_days']:.0f} days")
    return facts


def _exported(result: Mapping[str, Any]) -> list[str]:
    return [*result["files"], f"{len(result['endpoints'])} endpoints"]


def _history(result: Mapping[str, Any]) -> list[str]:
    lines = []
    for instance, points in result["series"].items():
        values = [value for _, value in points]
        span = f"{min(values):.4g} to {max(values):.4g}, last {values[-1]:.4g}" if values else "-"
        lines.append(f"{instance}  {result['metric']}  {len(values)} points, {span}")
    return [*lines, *result["notes"]] or ["Nothing is known of this target yet."]


def _fleet(result: Mapping[str, Any]) -> list[str]:
    order = {"unreachable": 0, "not ready": 1, "degraded": 2}
    rows = sorted(result["samples"], key=lambda one: (order.get(one["health"], 3), one["target"]))
    return (
        table(
            ("target", "health", "version", "req/s", "p99 ms", "alerts"),
            [
                (
                    one["target"],
                    one["health"],
                    one.get("version") or "-",
                    f"{one.get('throughput') or 0:.1f}",
                    _ms(one.get("latency_ms") or {}, "p99").removesuffix(" ms"),
                    ", ".join(alert["name"] for alert in one["alerts"]) or "-",
                )
                for one in rows
            ],
            right="  rrr",
        )
        + [
            f"{one['target']}: {alert['name']}: {alert['text']}"
            for one in rows
            for alert in one["alerts"]
        ]
        + _untold(result)
    )


def _tested(result: Mapping[str, Any]) -> list[str]:
    return [f"{row['channel']}: {row['text']}" for row in result["channels"]]


def _silences(result: Mapping[str, Any]) -> list[str]:
    return [hold["text"] for hold in result["holds"]] or ["Nothing is held back."]


_DESCRIBE = {
    "export": _exported,
    "history": _history,
    "fleet": _fleet,
    "test": _tested,
    "silence": _silences,
}


def _ms(latency: Mapping[str, Any], name: str) -> str:
    value = latency.get(name)
    return "-" if value is None else f"{value:.2f} ms"
