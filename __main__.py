"""Private APIs behind mutual TLS: a producer's stack, a customer's, or both in one."""

import gc

from consumer import consume, consume_own
from producer import produce
from settings import Settings

# Most of what a program makes lives to its end; looking for garbage in it costs half of a run.
gc.set_threshold(1_000_000, 50, 100)

settings = Settings.load()
service = produce(settings.producer) if settings.producer else None
if settings.consumer and service:
    consume_own(settings.consumer, service)
elif settings.consumer:
    consume(settings.consumer)
