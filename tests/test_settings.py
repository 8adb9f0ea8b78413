"""The environment a host can set: what is read from it, and the sentence for what cannot be understood."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import backends
from chatsite import environment as env

from .services import POSTGRESQL_URL, REDIS_URL

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u@h/db",
        "postgresql://",
        "postgresql://host",
        "postgresql://host/",
        "postgresql:///",
        "postgresql://host:port/db",
        "postgresql://host:99999/db",
        "sqlite:",
        "sqlite://",
        "site.sqlite3",
        "/tmp/x.sqlite3",
        "http://x/y",
        "postgresql://[::1/db",
        "//",
    ],
)
def test_a_database_url_that_is_none_is_refused_with_a_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        backends.database(url, tmp_path)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:hunter#2@h/db", "%23"),
        ("postgresql://u:hun#ter2@h/db", "%23"),
        ("postgresql://u:hun/ter2@h/db", "%2F"),
        ("postgresql://u:12#hunter@h/db", "%23"),
        ("postgresql://u:12/3?hunter=@h/db", "does not know"),
        ("postgresql://h/db?pool=no", "does not know"),
        ("postgresql://h/db?hunter=2", "does not know"),
        ("postgresql://[hunter/db", "cannot be read"),
        ("sqlite:///rel.db", "sqlite:////path"),
    ],
)
def test_a_refused_database_url_says_what_to_write_and_no_piece_of_a_password(url: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        backends.database(url, tmp_path)
    assert sentence in str(refused.value)
    assert "hun" not in str(refused.value)
    assert "ter2" not in str(refused.value)


def test_options_that_postgresql_knows_are_taken(tmp_path: Path) -> None:
    assert backends.database("postgresql://h/db?options=-c%20work_mem%3D8MB", tmp_path)["OPTIONS"]["options"] == "-c work_mem=8MB"


@pytest.mark.parametrize("value", ["foo", "http://[bad/v1", "http://", "ftp://h/v1", "http://h:port/v1", "http://a b/v1", "//h/v1"])
def test_what_is_no_address_of_a_server_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AN_ADDRESS", value)
    with pytest.raises(ImproperlyConfigured, match="AN_ADDRESS"):
        env.address("AN_ADDRESS")


@pytest.mark.parametrize("value", ["http://user:hunter2@h/v1", "https://hunter2@h/v1", "http://user:hunter2@[::1]:1/v1"])
def test_an_address_with_a_password_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AN_ADDRESS", value)
    with pytest.raises(ImproperlyConfigured, match="without a password") as refused:
        env.address("AN_ADDRESS")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["", "http://127.0.0.1:11434/v1", "https://openrouter.ai/api/v1", "http://[::1]:8001/v1"])
def test_an_address_of_a_server_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AN_ADDRESS", value)
    assert env.address("AN_ADDRESS") == value


def test_an_empty_directory_is_not_the_one_the_site_is_started_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env.directory("A_DIRECTORY", tmp_path) == tmp_path
    monkeypatch.setenv("A_DIRECTORY", " ")
    with pytest.raises(ImproperlyConfigured, match="A_DIRECTORY is empty"):
        env.directory("A_DIRECTORY", tmp_path)


def test_bytes_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TEXT", os.fsdecode(b"\xff\xfe"))
    with pytest.raises(ImproperlyConfigured, match="A_TEXT is not UTF-8"):
        env.text("A_TEXT")


def test_a_postgresql_url_is_taken_apart(tmp_path: Path) -> None:
    read = backends.database("postgresql://us%40er:p%2Fw@db.example:6543/na%20me?sslmode=require&connect_timeout=9", tmp_path)
    assert {name: read[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "na me",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": 6543,
    }
    options = read["OPTIONS"]
    assert (options["connect_timeout"], options["sslmode"], options["pool"]["max_size"]) == ("9", "require", 8)
    assert "statement_timeout" in options["options"]
    assert backends.database("postgres://h/db", tmp_path)["PORT"] == 5432


def test_without_a_url_it_is_sqlite_in_the_data_directory(tmp_path: Path) -> None:
    read = backends.database("", tmp_path / "new")
    assert read["NAME"] == tmp_path / "new" / "site.sqlite3"
    assert read["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in read["OPTIONS"]["init_command"]
    assert backends.database(f"sqlite:///{tmp_path}/other.db", tmp_path)["NAME"] == Path(f"{tmp_path}/other.db")


@pytest.mark.parametrize("value", ["1", "true", "YES", " on ", "True"])
def test_what_means_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_FLAG", value)
    assert env.flag("A_FLAG") is True


@pytest.mark.parametrize("value", ["0", "false", "No", "off", "", "  "])
def test_what_means_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_FLAG", value)
    assert env.flag("A_FLAG") is False


@pytest.mark.parametrize("value", ["maybe", "2", "-1", "tru", "是"])
def test_what_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_FLAG", value)
    with pytest.raises(ImproperlyConfigured, match="A_FLAG"):
        env.flag("A_FLAG")


@pytest.mark.parametrize("value", ["", "many", "1.5", "0x10", "1e3", "4 5"])
def test_a_number_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_NUMBER", value)
    with pytest.raises(ImproperlyConfigured, match="A_NUMBER"):
        env.number("A_NUMBER", 3)


@pytest.mark.parametrize("value", ["0", "-3"])
def test_a_number_that_is_too_small_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_NUMBER", value)
    with pytest.raises(ImproperlyConfigured, match=r"A_NUMBER.*use 1 or more"):
        env.number("A_NUMBER", 3, least=1)


def test_a_lease_that_a_heartbeat_cannot_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.lease() == (10, 3)
    monkeypatch.setenv("HEARTBEAT_SECONDS", "6")
    with pytest.raises(ImproperlyConfigured, match=r"LEASE_SECONDS=10 is too short .* use 12 or more"):
        env.lease()


def test_one_of_the_choices_in_whatever_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.choice("A_CHOICE", "closed", "open") == "closed"
    monkeypatch.setenv("A_CHOICE", " Open ")
    assert env.choice("A_CHOICE", "closed", "open") == "open"
    monkeypatch.setenv("A_CHOICE", "yes")
    with pytest.raises(ImproperlyConfigured, match=r"A_CHOICE.*use closed, open"):
        env.choice("A_CHOICE", "closed", "open")


@pytest.mark.parametrize("value", ["Mars/Phobos", "/etc/passwd", "../UTC", "a\nb"])
def test_a_time_zone_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert env.time_zone("A_ZONE") == "UTC"
    monkeypatch.setenv("A_ZONE", value)
    with pytest.raises(ImproperlyConfigured, match="A_ZONE"):
        env.time_zone("A_ZONE")


def test_a_number_and_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.number("A_NUMBER", 3) == 3
    monkeypatch.setenv("A_NUMBER", " 12 ")
    assert env.number("A_NUMBER", 3) == 12


def test_words_are_set_off_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_WORDS", " a.example, ,b.example,")
    assert env.words("SOME_WORDS", "x") == ["a.example", "b.example"]
    assert env.words("NO_WORDS", "x,y") == ["x", "y"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://Chat.Example.org/", "https://chat.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://*.example.org", "https://*.example.org"),
    ],
)
def test_an_origin_is_read_as_a_browser_writes_it(monkeypatch: pytest.MonkeyPatch, written: str, read: str) -> None:
    monkeypatch.setenv("ORIGINS", written)
    assert env.origins("ORIGINS") == [read]
    assert env.origins("NO_ORIGINS") == []


@pytest.mark.parametrize(
    "value", ["foo", "chat.example.org", "https://", "https://a b", "https://a/path", "ftp://a", "https://me@a", "https://a:x", "*"]
)
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ORIGINS", value)
    with pytest.raises(ImproperlyConfigured, match="ORIGINS"):
        env.origins("ORIGINS")


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first, second = env.secret_key(tmp_path / "data"), env.secret_key(tmp_path / "data")
    path = tmp_path / "data" / "secret_key"
    assert first == second == path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first) >= 50
    assert env.secret_key(tmp_path / "other") != first


def test_a_secret_key_of_the_environment_wins_and_is_not_written_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "from-the-environment")
    assert env.secret_key(tmp_path) == "from-the-environment"
    assert list(tmp_path.iterdir()) == []


def test_of_many_first_starts_at_once_all_have_the_same_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: env.secret_key(tmp_path), range(32)))
    assert keys == {(tmp_path / "secret_key").read_text()}
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_secret_key_file_is_not_taken_for_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a first start leaves it that was killed before it had written, or a second one that starts beside it finds it."""
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "secret_key").touch(0o600)
    assert len(env.secret_key(tmp_path)) >= 50


def settings_with(data_dir: Path, code: str, **environment: str) -> str:
    """Run `code` in a fresh process with `environment` and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
    ours = {"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "chatsite.settings"}
    run = [sys.executable, "-c", f"import django\ndjango.setup()\nfrom django.conf import settings\n{code}"]
    return subprocess.run(run, cwd=ROOT, env=kept | ours | environment, check=True, capture_output=True, text=True).stdout.strip()


def test_https_closes_every_door_at_once(tmp_path: Path) -> None:
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "DEBUG", "SIGNUP_OPEN"]
    code = f"import json; print(json.dumps([getattr(settings, name) for name in {names}]))"
    assert json.loads(settings_with(tmp_path, code, HTTPS="1")) == [True, True, True, 86_400, False, False]
    assert json.loads(settings_with(tmp_path, code)) == [False, False, False, 0, False, False]


def test_browsers_hold_to_https_for_as_long_and_for_as_many_names_as_the_host_says(tmp_path: Path) -> None:
    names = ["SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"]
    code = f"import json; print(json.dumps([getattr(settings, name) for name in {names}]))"
    assert json.loads(settings_with(tmp_path, code, HTTPS="1")) == [86_400, False, False]
    asked = {"HTTPS": "1", "HSTS_SECONDS": "31536000", "HSTS_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}
    assert json.loads(settings_with(tmp_path, code, **asked)) == [31_536_000, True, True]


ROUND = """
import asyncio
from channels.layers import get_channel_layer
async def go_round():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("tests", channel)
    await layer.group_send("tests", {"type": "news", "number": 7})
    async with asyncio.timeout(20):
        print(type(layer).__name__, await layer.receive(channel))
    await layer.group_discard("tests", channel)
asyncio.run(go_round())
"""


@pytest.mark.redis
def test_with_redis_url_the_channel_layer_is_redis_and_a_message_goes_round(tmp_path: Path) -> None:
    assert settings_with(tmp_path, ROUND, REDIS_URL=REDIS_URL) == "RedisPubSubChannelLayer {'type': 'news', 'number': 7}"


@pytest.mark.real_postgresql
def test_with_postgresql_alone_the_channel_layer_is_its_own_and_a_message_goes_round(tmp_path: Path) -> None:
    assert settings_with(tmp_path, ROUND, DATABASE_URL=POSTGRESQL_URL) == "PostgresChannelLayer {'type': 'news', 'number': 7}"


TIME_OUT = """
import socket
from django.db import connection
connection.ensure_connection()
line = socket.socket(fileno=connection.connection.pgconn.socket)
print(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
line.detach()
"""


@pytest.mark.real_postgresql
def test_a_postgresql_that_vanishes_without_a_word_is_noticed(tmp_path: Path) -> None:
    """The kernel gives up what nobody takes: ten seconds, as long as a lease."""
    assert settings_with(tmp_path, TIME_OUT, DATABASE_URL=POSTGRESQL_URL) == "10000 10"


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "http://127.0.0.1", "127.0.0.1:6379", "redis://host:port", "redis://h/abc", "redis://h/1/2"),
        *("redis://h/9?foo=bar", "redis://h?db=abc", "redis://u:p#w@h/0"),
    ],
)
def test_a_redis_url_that_is_none_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        backends.channel_layer(url, {})


@pytest.mark.parametrize("url", ["redis://h", "redis://h/", "rediss://u:p%23w@h:6380/3", "redis://h?db=2", "unix:///run/redis.sock?db=1"])
def test_a_redis_url_is_taken_as_it_is(url: str) -> None:
    assert backends.channel_layer(url, {})["CONFIG"]["hosts"] == [url]


def test_two_sites_on_one_redis_do_not_hear_each_other() -> None:
    prefixes = {backends.channel_layer(REDIS_URL, {}, site=key)["CONFIG"]["prefix"] for key in ("one", "one", "another")}
    assert len(prefixes) == 2
    assert not any("one" in prefix for prefix in prefixes)


def test_the_settings_tell_sites_on_one_redis_apart_by_their_secret_key(tmp_path: Path) -> None:
    code = "print(settings.CHANNEL_LAYERS['default']['CONFIG']['prefix'])"
    one, again, other = (settings_with(tmp_path, code, REDIS_URL=REDIS_URL, SECRET_KEY=key) for key in ("one", "one", "other"))
    assert one == again != other


def test_without_redis_url_the_channel_layer_is_in_memory(tmp_path: Path) -> None:
    assert settings_with(tmp_path, ROUND) == "InMemoryChannelLayer {'type': 'news', 'number': 7}"
