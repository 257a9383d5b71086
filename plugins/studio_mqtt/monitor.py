"""Publishing of measurements with quality of service 1: the broker has confirmed each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from studio.api import Kind, Option, TargetError

TIMEOUT_S = 5.0
_PORT, _TLS_PORT = 1883, 8883


class MqttMonitor:
    """Sends each measurement as JSON to ``<topic>/<target>/<name>``; the last one is retained."""

    id = "mqtt"
    title = "MQTT broker"
    options = (
        Option(
            "host",
            title="Broker",
            required=True,
            help="Name or address of the broker.",
            placeholder="mqtt.example.org",
        ),
        Option(
            "port",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=65535,
            zero="automatic",
            help=f"{_PORT} by default, {_TLS_PORT} with TLS.",
        ),
        Option("topic", default="edgewright/alerts", help="Topic prefix before the target name."),
        Option(
            "user",
            default="",
            help="User name, if the broker requires a login.",
            placeholder="no login",
        ),
        Option(
            "tls",
            Kind.FLAG,
            default=False,
            title="TLS",
            help="Encrypt, and check the certificate.",
        ),
    )

    def export(self, measurements: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
        """Publish them.

        Raises:
            TargetError: when the broker cannot be reached, refuses, or does not confirm in time.
        """
        from paho.mqtt.client import Client, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        host, tls = str(options.get("host") or ""), bool(options.get("tls"))
        port = int(options.get("port") or (_TLS_PORT if tls else _PORT))
        if not host:
            raise TargetError("The MQTT channel needs a host.")
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        client.connect_timeout = TIMEOUT_S
        if options.get("user"):
            client.username_pw_set(str(options["user"]), str(options.get("password") or ""))
        if tls:
            client.tls_set()
        refused: list[str] = []
        client.on_connect = lambda *given: _note(refused, given[3])
        try:
            client.connect(host, port)
            client.loop_start()
            for one in measurements:
                content = json.dumps(dict(one), sort_keys=True, default=str)
                told = client.publish(_topic(options, one), content, qos=1, retain=True)
                told.wait_for_publish(TIMEOUT_S)
                if refused or not told.is_published():
                    reason = refused[0] if refused else "it confirms nothing"
                    raise TargetError(f"The broker {host}:{port} took nothing: {reason}.")
        except (OSError, ValueError, RuntimeError) as error:
            raise TargetError(f"The broker {host}:{port} cannot be reached: {error}.") from None
        finally:
            client.disconnect()
            client.loop_stop()


def _note(refused: list[str], reason: Any) -> None:
    if reason.is_failure:
        refused.append(str(reason))


def _topic(options: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    parts = [str(one.get(key) or "unknown") for key in ("target", "name")]
    # A plus, a number sign or a slash in a name would be a wildcard or a level of its own.
    safe = [re.sub(r"[+#/\0]", "-", part) for part in parts]
    return "/".join([str(options.get("topic") or "edgewright/alerts").rstrip("/"), *safe])
