"""AWS as the SDK reaches it: the user's own chain of credentials, retries, time limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from studio_sagemaker.refusals import AwsRefusal, refusal

_ATTEMPTS = 8
"""With doubling pauses: what is throttled is tried again for about a minute."""


class Cloud:
    """A session with one region.

    Args:
        profile: Of ``~/.aws/config``; None for the SDK's own chain. Keys are never seen here.
    """

    def __init__(self, region: str, profile: str | None = None) -> None:
        self.region = region
        self._config = Config(
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
            connect_timeout=10,
            read_timeout=75,
            user_agent_extra="edgewright",
        )
        try:
            self._session = boto3.Session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise refusal(error, "open a session", region) from None
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the SDK's client of a service."""
        if service not in self._clients:
            try:
                self._clients[service] = self._session.client(service, config=self._config)
            except (BotoCoreError, ValueError) as error:
                raise refusal(error, f"reach {service}", self.region) from None
        return self._clients[service]

    def call(self, service: str, operation: str, what: str, **arguments: Any) -> Any:
        """Send one request of the API.

        Args:
            operation: As the SDK's method is named.
            what: Requested action, as in "You may not ...".

        Raises:
            AwsRefusal: when AWS refuses the request.
            TargetError: when it does not answer.
            Unavailable: when there are no credentials.
        """
        try:
            return getattr(self.client(service), operation)(**arguments)
        except (BotoCoreError, ClientError) as error:
            raise refusal(error, what, self.region) from None

    def find(self, service: str, operation: str, what: str, **arguments: Any) -> Any:
        """Send one request; return None for what does not exist."""
        try:
            return self.call(service, operation, what, **arguments)
        except AwsRefusal as error:
            if error.missing:
                return None
            raise

    def pages(
        self, service: str, operation: str, key: str, what: str, **arguments: Any
    ) -> Iterator[Any]:
        """Yield the entries of all pages of a list."""
        try:
            for page in self.client(service).get_paginator(operation).paginate(**arguments):
                yield from page.get(key) or ()
        except (BotoCoreError, ClientError) as error:
            raise refusal(error, what, self.region) from None

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
