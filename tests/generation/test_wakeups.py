"""What a process hears over a layer that others can write to as well: nonsense is dropped, and the next wake-up is heard."""

from pathlib import Path

import pytest

from tests.services import POSTGRESQL_URL, REDIS_URL
from tests.test_settings import settings_with

HEAR = """
import asyncio, redis, psycopg, msgpack, json
from conversations.generation.wakeups import GROUP, What, WakeUps

async def main():
    heard = asyncio.Queue()
    ear, mouth = WakeUps(lambda what, about: heard.put_nowait((what.value, about))), WakeUps(print)
    tasks = [asyncio.create_task(chore) for chore in (ear.listen(), mouth.speak())]
    while heard.empty():
        mouth.tell(What.NEWS, [1])
        await asyncio.sleep(0.02)
    for nonsense in NONSENSE:
        await asyncio.to_thread(publish, nonsense)
    mouth.tell(What.LOOK, [7])
    async with asyncio.timeout(20):
        while (told := await heard.get())[0] != "look":
            assert told == ("news", [1]), told
    print(told)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await ear.close()

told = [("y", []), ("look", ["one"]), ("look", [-1]), ("news", 3), ("changes", [[1]])]
wakeups = [None, 3, [], {}, {"from": "x"}, *({"from": "x", "what": what, "about": about} for what, about in told)]
"""
POSTGRESQL = """
def publish(text):
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("SELECT pg_notify('chatsite', %s)", [text])

NONSENSE = ["", "{", "[" * 5000, "3", "[]", "{}", '{"group": "generations"}', '{"group": []}', '{"channel": {}}']
NONSENSE += [json.dumps({"group": GROUP, "message": message}) for message in wakeups]
"""
REDIS = """
def publish(data):
    with redis.Redis.from_url(URL) as client:
        assert client.publish(CHANNEL, data)

from django.conf import settings
CHANNEL = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] + "__group__" + GROUP
NONSENSE = [b"", b"\\xc1", b"\\xff\\xff", b"\\x81\\xa1a", b"\\xa2\\xc3\\x28", *map(msgpack.packb, wakeups)]
"""


@pytest.mark.real_postgresql
def test_nonsense_over_postgresql_deafens_nobody(tmp_path: Path) -> None:
    code = f"{HEAR}\nURL = {POSTGRESQL_URL!r}\n{POSTGRESQL}\nasyncio.run(main())"
    assert settings_with(tmp_path, code, DATABASE_URL=POSTGRESQL_URL) == "('look', [7])"


@pytest.mark.redis
def test_nonsense_over_redis_deafens_nobody(tmp_path: Path) -> None:
    code = f"{HEAR}\nURL = {REDIS_URL!r}\n{REDIS}\nasyncio.run(main())"
    assert settings_with(tmp_path, code, REDIS_URL=REDIS_URL) == "('look', [7])"
