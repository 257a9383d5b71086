"""The registry with the digits sample, and a job without a worker, as quantization has them."""

from tests.unit.quantization.conftest import digits, job, registry

__all__ = ["digits", "job", "registry"]
