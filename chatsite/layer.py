"""The channel layer that wake-ups go over, as the settings name it: who can hear whom, and whether it can be used.

`backends.channel_layer` chooses it; whoever asks what kind it is asks here.
"""

import sys

from django.conf import settings

CONNECT_SECONDS = 3


def is_in_memory() -> bool:
    """Say whether wake-ups end with their process, so that no other one hears them."""
    return bool(backend().endswith("InMemoryChannelLayer"))


def check() -> None:
    """End the process with a sentence where REDIS_URL names a Redis that does not answer. Later on it may come and go.

    Other layers need no server of their own.
    """
    if "redis" not in backend():
        return
    import redis

    try:
        (url,) = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
        with redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        sys.exit(f"Redis does not answer at REDIS_URL: {error}")


def backend() -> str:
    return str(settings.CHANNEL_LAYERS["default"]["BACKEND"])
