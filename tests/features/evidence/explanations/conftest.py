"""The registry with the digits sample, and a job without a worker."""

from tests.unit.quantization.conftest import digits, job, registry

__all__ = ["digits", "job", "registry"]
