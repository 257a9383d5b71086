"""Error messages for AWS's refusals, in one sentence each."""

from __future__ import annotations

import re
from typing import Any

from botocore import exceptions as aws

from studio.api import StudioError, TargetError, Unavailable

_LOGIN = "Log in again (aws sso login), or choose another profile."
_PROFILE = (
    "Log in with a profile of ~/.aws (aws configure sso, aws sso login), and name it with "
    "--set profile=NAME; or set the SDK's own variables (AWS_ACCESS_KEY_ID ...)."
)
_EXPIRED = frozenset(
    ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"]
)
_UNKNOWN = frozenset(
    (
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
    )
)
_FORBIDDEN = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"])
_BUSY = frozenset(
    (
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "ServiceUnavailable",
    )
)
_MISSING = frozenset(
    (
        "404",
        "NoSuchKey",
        "NoSuchBucket",
        "NotFound",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ObjectNotFoundException",
        "RepositoryNotFoundException",
        "ImageNotFoundException",
    )
)
_LOGIN_ERRORS = (
    aws.SSOTokenLoadError,
    aws.UnauthorizedSSOTokenError,
    aws.TokenRetrievalError,
    aws.CredentialRetrievalError,
)
_SILENCE = (aws.ConnectionError, aws.HTTPClientError)


class AwsRefusal(TargetError):
    """AWS answered, and said no.

    Attributes:
        code: AWS's word for it (``ValidationException``).
    """

    def __init__(self, message: str, code: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.code = code

    @property
    def missing(self) -> bool:
        """Whether the requested object does not exist."""
        lacking = re.search("could not find|does not exist|no scal.* found", self.detail, re.I)
        return self.code in _MISSING or bool(lacking)

    @property
    def forbidden(self) -> bool:
        """Whether only a permission is missing."""
        return self.code in _FORBIDDEN


def refusal(error: Exception, what: str, region: str = "") -> StudioError:
    """Return the error for an exception of the SDK.

    Args:
        what: Requested action (``create the endpoint digits``).
    """
    if isinstance(error, aws.ClientError):
        return _answered(error.response, what)
    if isinstance(error, aws.ProfileNotFound):
        return Unavailable(
            f"AWS's configuration has no profile {error.kwargs.get('profile')!r}.",
            hint="Its names are shown by: aws configure list-profiles",
        )
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        return Unavailable(
            "There are no AWS credentials on this computer.",
            hint=_PROFILE,
        )
    if isinstance(error, _LOGIN_ERRORS):
        return TargetError("The login to AWS has expired.", hint=_LOGIN, detail=str(error))
    if isinstance(error, _SILENCE):
        return TargetError(
            f"AWS did not answer in {region or 'its region'} (to {what}).",
            hint="Look at the network, a proxy, and the name of the region.",
            detail=str(error),
        )
    return TargetError(f"AWS's library cannot {what}: {plain(str(error))}", detail=repr(error))


def _answered(response: Any, what: str) -> AwsRefusal:
    details = response.get("Error") or {}
    code, message = str(details.get("Code") or ""), str(details.get("Message") or "").strip()
    sentence, hint = _sentence(code, message, what)
    return AwsRefusal(sentence, code, hint=hint, detail=message)


def _sentence(code: str, message: str, what: str) -> tuple[str, str]:
    if code in _EXPIRED:
        return "The credentials for AWS have expired.", _LOGIN
    if code in _UNKNOWN:
        return "AWS does not know these credentials.", _LOGIN
    if code in _FORBIDDEN:
        missing = re.search(r"not authorized to perform:? ([\w:*-]+)", message)
        right = f" (the right {missing[1]} is missing)" if missing else ""
        return f"You may not {what}{right}.", "Ask whoever runs the account for that right."
    if code == "ResourceLimitExceeded":
        return f"A quota does not allow to {what}: {plain(message)}", (
            "Ask for another instance type or fewer instances, or have the quota raised."
        )
    if code in _BUSY:
        return f"AWS is too busy to {what}.", "Try again in a while: a deploy goes on."
    if code == "ModelError":
        return f"The model refused the request: {plain(message)}", ""
    return f"AWS refuses to {what}: {plain(message) or code}", ""


def plain(message: str) -> str:
    """Return one line that ends with a full stop."""
    text = " ".join(message.split())
    return text if not text or text.endswith(".") else f"{text}."
