"""Channels of alerts: the desktop, a mail server, a webhook; plugins add others."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import smtplib
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path
from textwrap import shorten

from studio.api import Extension, Monitor
from studio.documents.dataclass_json import from_json, optional, to_json
from studio.lazy_dataclass import dataclass
from studio.monitoring.alerts.rules import (
    AlertPlan,
    ChannelSpec,
    MailOptions,
    WebhookOptions,
    read_alerts,
)
from studio.monitoring.endpoint.results import ABSENT
from studio.monitoring.webhooks.channel import EventChannel
from studio.plugin_host import PluginHost
from studio.settings import Paths
from studio.settings.secrets import SecretStore

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification of an alert for a channel.

    Attributes:
        at: Time of the sample.
        state: ``firing``, ``resolved`` or ``test``; a test has neither figures nor a release.
    """

    name: str
    level: str
    text: str
    value: float | None = optional(ABSENT)
    limit: float | None = optional(ABSENT)
    at: str | None = None
    model: str | None = optional(ABSENT)
    version: object = optional(ABSENT)
    digest: str | None = optional(ABSENT)
    target: str = ""
    state: str = "firing"


Send = Callable[[Notice], None]
Secrets = Callable[[str], str]


class ChannelError(Exception):
    """The failure of a channel, in one sentence without a secret."""


def alert_channels(path: Path | None) -> tuple[AlertPlan, dict[str, tuple[Sequence[str], Send]]]:
    """Return the rules of a file, and the channels with their senders."""
    if path is None:
        return AlertPlan(), {}
    host = PluginHost.discover()
    plan = read_alerts(path, [one.id for one in host.all(Extension.MONITOR)])
    secrets = SecretStore(Paths.of()).get
    return plan, {
        spec.name: (spec.levels, channel_of(spec, secrets, host)) for spec in plan.channels
    }


def channel_of(spec: ChannelSpec, secrets: Secrets, plugins: PluginHost | None = None) -> Send:
    """Return the function that sends notifications to a channel.

    Args:
        secrets: Returns a secret by its name; an environment variable has precedence.

    Raises:
        Unavailable: when the plugin of the channel cannot be used.
    """

    def secret(name: str) -> str:
        return (os.environ.get(name) or secrets(name)) if name else ""

    if spec.kind == "desktop":
        return to_desktop
    if spec.kind == "email":
        mail = from_json(MailOptions, spec.options)
        return lambda notice: to_email(notice, mail, secret(mail.password_secret))
    if spec.kind == "cloudevents":
        events = EventChannel(spec.name, spec.options, Paths.of().data, secret)
        return lambda notice: to_events(notice, events)
    if spec.kind == "webhook":
        hook = from_json(WebhookOptions, spec.options)
        keys = secret(hook.signing_secret), secret(hook.token_secret)
        return lambda notice: to_webhook(notice, hook.url, *keys)
    assert plugins is not None
    monitor: Monitor = plugins.get(Extension.MONITOR, spec.kind)
    password = secret(str(spec.options.get("password_secret") or ""))
    options = {**spec.options, "password": password}

    def export(notice: Notice) -> None:
        try:
            monitor.export([to_json(notice)], options)
        except Exception as error:  # code of a plugin
            raise ChannelError(f"{spec.kind} took no notice: {error}".rstrip(".") + ".") from error

    return export


def headline(notice: Notice) -> str:
    """Return a notification in a few words."""
    over = "over: " if notice.state == "resolved" else ""
    return f"{notice.target}: {over}{notice.name} ({notice.level})"


def to_desktop(notice: Notice) -> None:
    """Show a notification on the desktop of this session."""
    program = shutil.which("notify-send")
    if program is None:
        raise ChannelError("notify-send is not installed: sudo apt-get install libnotify-bin")
    urgency = "critical" if notice.level == "critical" else "normal"
    words = [program, "--app-name=Edgewright", f"--urgency={urgency}", "--"]
    try:
        done = subprocess.run(
            [*words, headline(notice), notice.text],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ChannelError(f"The desktop does not answer: {error}.") from None
    if done.returncode:
        reason = shorten(done.stderr.decode("utf-8", "replace"), 300, placeholder=" ...").rstrip(
            "."
        )
        raise ChannelError(f"The desktop shows no notification: {reason}.")


def to_email(notice: Notice, options: MailOptions, password: str) -> None:
    """Send a mail; encrypted with ``tls``, or by default (STARTTLS) if it needs a password."""
    host, port, user = options.host, options.port, options.user
    mail = EmailMessage()
    mail["Subject"] = headline(notice)
    mail["From"] = options.sender or user or "edgewright@localhost"
    mail["To"] = options.recipients
    mail.set_content(f"{notice.text}\n\n{json.dumps(to_json(notice), indent=1, default=str)}\n")
    tls = options.tls or ("starttls" if user else "none")
    kind = smtplib.SMTP_SSL if tls == "tls" else smtplib.SMTP
    try:
        with kind(host, port, timeout=TIMEOUT_S) as server:
            if tls == "starttls":
                server.starttls()
            if user:
                server.login(user, password)
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        reason = str(error).replace(password, "***") if password else str(error)
        raise ChannelError(f"The mail server {host}:{port} took no mail: {reason}.") from None


def to_events(notice: Notice, channel: EventChannel) -> None:
    """Put an alert into the outbox of a channel and send what waits there."""
    about = "drift" if notice.name == "drift" else "alert"
    key = f"{notice.name} {notice.at} {notice.digest}"
    channel.add(f"{about}.{notice.state}", notice.target, to_json(notice), key, notice.at or "")
    done = channel.deliver(now=True)
    if done.error:
        raise ChannelError(f"{done.error} {done.waiting} events wait in the outbox.")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A handler that refuses redirects, which would send the token to another server."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def to_webhook(notice: Notice, url: str, signing: str, token: str) -> None:
    """Send a POST request with JSON.

    Args:
        signing: Key of the HMAC-SHA-256 of the body in ``Edgewright-Signature``; empty for none.
        token: Bearer token; empty for none.
    """
    # The path of a webhook is often its only secret, so messages leave it out.
    parts = urllib.parse.urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    body = json.dumps(to_json(notice), sort_keys=True, default=str).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    if signing:
        digest = hmac.new(signing.encode(), body, hashlib.sha256).hexdigest()
        request.add_header("Edgewright-Signature", "sha256=" + digest)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        raise ChannelError(f"The webhook at {where} answered {error.code}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ChannelError(f"The webhook at {where} cannot be reached: {reason}.") from None
