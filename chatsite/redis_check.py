"""Whether the channel layer can be used, told in a sentence to the person who starts the site. Later on it may come and go."""

import sys

from django.conf import settings

CONNECT_SECONDS = 3


def check() -> None:
    """End the process with a sentence where REDIS_URL names a Redis that does not answer. Other layers need no server of their own."""
    layer = settings.CHANNEL_LAYERS["default"]
    if "redis" not in layer["BACKEND"]:
        return
    import redis

    try:
        (url,) = layer["CONFIG"]["hosts"]
        with redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        sys.exit(f"Redis does not answer at REDIS_URL: {error}")
