"""Throttling by a stage's method settings: a token bucket per method.

The account's own limit over all APIs (10,000 requests per second) is not modelled.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class _Bucket:
    tokens: float
    filled: float


class Throttle:
    """Answers whether a request may pass; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[Any, ...], _Bucket] = {}

    def admits(
        self, api_id: str, stage: Mapping[str, Any], resource_path: str, method: str
    ) -> bool:
        """Takes a token of the method's bucket, which holds `throttlingBurstLimit` tokens and gains
        `throttlingRateLimit` a second ("Throttle requests to your REST APIs for better
        throughput")."""
        settings = settings_of(stage, resource_path, method)
        rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
        if rate is None or burst is None or rate < 0 or burst < 0:
            return True
        key = (api_id, stage["stageName"], resource_path, method, rate, burst)
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(key, _Bucket(burst, now))
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled) * rate)
            bucket.filled = now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True


def settings_of(stage: Mapping[str, Any], resource_path: str, method: str) -> Mapping[str, Any]:
    """The method's own settings, or the stage's for every method (`*/*`).

    Keys are `{resource path}/{method}` with the path's slashes as `~1` ("UpdateStage", API
    Reference).
    """
    by_key = {
        tuple(key.replace("~1", "/").strip("/").rpartition("/")[::2]): value
        for key, value in stage.get("methodSettings", {}).items()
    }
    return by_key.get((resource_path.strip("/"), method)) or by_key.get(("*", "*")) or {}
