"""The broker: dramatiq over Redis or Valkey. It only wakes workers up; the truth about work is in PostgreSQL."""

from __future__ import annotations

from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, ShutdownNotifications, TimeLimit

from core.errors import SettingsError
from core.settings import settings

QUEUE = "wake"


def connect(url: str) -> RedisBroker:
    """A broker for this address, without dramatiq's own retries: jobs are counted and retried in PostgreSQL."""
    client = redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=2)
    # Measured (design.md): the defaults left a killed worker's message for over 900 s; these, 19 s.
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        middleware=[ShutdownNotifications(), TimeLimit(), CurrentMessage()],
        heartbeat_timeout=15_000,
        maintenance_chance=100_000,
    )


def set_up() -> dramatiq.Broker:
    """Make the broker of this process, once. Raises SettingsError when no address is set."""
    url = settings().redis_url
    if not url:
        raise SettingsError("VEILIG_REDIS_URL is not set. `veilig run` starts the embedded broker itself.")
    broker = connect(url)
    dramatiq.set_broker(broker)
    return broker


def waiting() -> int:
    """How many announcements wait in the broker; those that a worker took are not among them."""
    broker: Any = dramatiq.get_broker()
    return int(broker.client.llen(f"{broker.namespace}:{QUEUE}"))
