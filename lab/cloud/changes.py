"""How often each service was changed: lets a reader keep an answer until it may be out of date."""

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[str] = Counter()


def changed(service: str) -> None:
    """Records a change of `service` (boto3's client name).

    The server calls it for each successful call that is not a read. A backend calls it for what
    changes by itself or in another service: a load balancer turning active, its network interfaces
    in EC2.
    """
    with _lock:
        _counts[service] += 1


def counts() -> dict[str, int]:
    """The number of changes so far by service; a service never changed is absent."""
    with _lock:
        return dict(_counts)
