"""Checks at start whether this Redis can be trusted with approvals, and names cures.

It asks by capability and never needs more rights than a locked-down or managed endpoint gives:
what cannot be found out is a warning. It changes nothing, and it never shows a password.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.utils import DEFAULT_RESP_VERSION


@dataclass(frozen=True)
class Finding:
    """One thing about a Redis that is wrong (refuse) or risky or unknown (warn), and its cure."""

    item: str
    severity: Literal["refuse", "warn"]
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.item}: {self.what}\n    To cure it: {self.cure}"


class RedisNotSuitable(Exception):
    """This Redis cannot be used; the message lists everything that is wrong, with the cures."""

    def __init__(self, where: str, findings: list[Finding]) -> None:
        self.findings = findings
        listed = "".join(f"\n  {_MARK[finding.severity]} {finding}" for finding in findings)
        super().__init__(f"Countersign cannot use Redis at {where}:{listed}")


_MARK = {"refuse": "-", "warn": "- (warning)"}
_WITH_MODULES = "use Redis 8, Redis Stack 7.4 or a managed endpoint with Search and JSON."
_PROBE = "countersign-probe"  # a name that is only asked for, never written
# A command with which a module answers, whatever the answer is; forbidden is an answer too.
_MODULES = {"Search": ("FT.INFO", _PROBE), "JSON": ("JSON.GET", _PROBE)}


async def require_suitable(client: Redis) -> list[Finding]:
    """Return the warnings, or raise RedisNotSuitable with everything that is wrong."""
    findings = await check_redis(client)
    if any(finding.severity == "refuse" for finding in findings):
        raise RedisNotSuitable(_where(client), findings)
    return findings


async def check_redis(client: Redis) -> list[Finding]:
    """Return everything that is wrong or doubtful, the refusals first."""
    findings = [*_database(client), *_protocol(client)]
    try:
        findings += await _server(client)
    except (RedisError, OSError) as error:
        # A server without that database refuses each connection: that has been said already.
        if not (findings and isinstance(error, ResponseError)):
            findings.append(_unreachable(_where(client), error))
    return sorted(findings, key=lambda finding: finding.severity)


def _where(client: Redis) -> str:
    settings = _settings(client)
    if "path" in settings:
        return str(settings["path"])
    if "host" not in settings:
        return "the primary that Sentinel names"
    return f"{settings['host']}:{settings.get('port', 6379)}"


def _settings(client: Redis) -> Mapping[str, object]:
    return cast("Mapping[str, object]", client.connection_pool.connection_kwargs)


def _database(client: Redis) -> list[Finding]:
    number = _settings(client).get("db") or 0
    if number == 0:
        return []
    what = f"REDIS_URL names database {number}; the index of Search exists in database 0 only."
    return [Finding("database", "refuse", what, "end REDIS_URL in /0.")]


def _protocol(client: Redis) -> list[Finding]:
    version = _settings(client).get("protocol") or DEFAULT_RESP_VERSION
    if version == 2:
        return []
    what = f"the client speaks RESP{version}; the checkpointer reads RESP2 answers only."
    return [Finding("protocol", "refuse", what, "end REDIS_URL in ?protocol=2.")]


def _unreachable(where: str, error: Exception) -> Finding:
    if isinstance(error, AuthenticationError):
        what = f"{where} does not accept the user and password, or wants one and got none."
        cure = "correct them in REDIS_URL: redis://user:password@host:port/0."
    elif isinstance(error, BusyLoadingError):
        what, cure = f"{where} is still loading its data.", "wait a moment, then start again."
    elif isinstance(error, RedisTimeoutError | TimeoutError):
        what = f"{where} did not answer in time."
        cure = "check the host and port in REDIS_URL, and firewalls on the way."
    else:
        what = f"{where} cannot be reached: {error}"
        cure = "start Redis there, or correct REDIS_URL (with TLS it begins with rediss://)."
    return Finding("connection", "refuse", what, cure)


async def _server(client: Redis) -> list[Finding]:
    await _greet(client)
    findings = [finding for name in _MODULES for finding in await _module(client, name)]
    try:
        info = cast("dict[str, object]", await client.info())
    except NoPermissionError:
        info = {}
    facts = {name: str(value) for name, value in info.items()}
    policy = facts.get("maxmemory_policy") or await _configured(client, "maxmemory-policy")
    return [
        *findings,
        *_eviction(policy),
        *_append_only_file(facts),
        *_role(facts),
        *_cluster(facts.get("cluster_enabled")),
    ]


async def _greet(client: Redis) -> None:
    with suppress(NoPermissionError):  # a user who may not PING has been let in all the same
        await client.execute_command("PING")


async def _module(client: Redis, name: str) -> list[Finding]:
    try:
        await client.execute_command(*_MODULES[name])
    except ResponseError as error:
        if "unknown command" in str(error).lower():
            what = f"this Redis has no {name} module."
            return [Finding(f"module {name}", "refuse", what, _WITH_MODULES)]
    return []


async def _configured(client: Redis, name: str) -> str | None:
    # Managed endpoints often have no CONFIG at all.
    try:
        settings = cast("dict[str | bytes, str | bytes]", await client.config_get(name))
    except ResponseError:
        return None
    value = next(iter(settings.values()), None)
    return value.decode() if isinstance(value, bytes) else value


def _eviction(policy: str | None) -> list[Finding]:
    cure = "CONFIG SET maxmemory-policy noeviction, and in redis.conf: maxmemory-policy noeviction."
    if policy is None:
        return [_unknown("eviction", "whether keys may be evicted when memory is full", cure)]
    if policy == "noeviction":
        return []
    what = f"maxmemory-policy is {policy}: when memory is full, pending approvals would vanish."
    return [Finding("eviction", "refuse", what, cure)]


def _append_only_file(facts: Mapping[str, str]) -> list[Finding]:
    cure = "CONFIG SET appendonly yes, and in redis.conf: appendonly yes."
    enabled = facts.get("aof_enabled")
    if enabled is None:
        return [_unknown("append-only file", "whether the append-only file is on", cure)]
    if enabled != "1":
        what = "the append-only file is OFF: a crash of Redis LOSES approvals and decisions."
        return [Finding("append-only file", "warn", what, cure)]
    if facts.get("aof_last_write_status", "ok") != "ok":
        what = "the last write to the append-only file failed; Redis refuses writes until it works."
        return [Finding("append-only file", "warn", what, "free disk space; see the log of Redis.")]
    return []


def _role(facts: Mapping[str, str]) -> list[Finding]:
    role = facts.get("role")
    if role is None:
        return [_unknown("role", "whether this is the primary", "use the primary's address.")]
    if role not in {"slave", "replica"}:
        return []
    primary = f"{facts.get('master_host', '?')}:{facts.get('master_port', '?')}"
    what = f"this is a read-only replica of {primary}."
    return [Finding("role", "refuse", what, f"let REDIS_URL name the primary, {primary}.")]


def _cluster(enabled: str | None) -> list[Finding]:
    cure = "use one standalone primary, or Sentinel; in redis.conf: cluster-enabled no."
    if enabled is None:
        return [_unknown("cluster", "whether this is a node of a cluster", cure)]
    if enabled != "1":
        return []
    what = "this is a node of a Redis Cluster, where Search indexes and scripts do not reach."
    return [Finding("cluster", "refuse", what, cure)]


def _unknown(item: str, question: str, cure: str) -> Finding:
    what = f"this Redis does not say {question} (it may take ACL SETUSER <user> +info)."
    return Finding(item, "warn", what, f"make sure yourself: {cure}")
