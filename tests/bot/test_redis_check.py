"""A Redis that could lose approvals is refused at start, in words that name the cure."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.local.redis import EmbeddedRedis
from bot.local.redis_files import modules
from bot.redis_check import Finding, RedisNotSuitable, check_redis, require_suitable


@asynccontextmanager
async def connected(url: str, protocol: int = 2) -> AsyncGenerator[Redis]:
    client = Redis.from_url(url, protocol=protocol, retry=Retry(NoBackoff(), 0))
    async with client:
        yield client


async def findings_at(url: str, protocol: int = 2) -> dict[str, Finding]:
    async with connected(url, protocol) as client:
        return {finding.item: finding for finding in await check_redis(client)}


async def message_at(url: str) -> str:
    async with connected(url) as client:
        with pytest.raises(RedisNotSuitable) as refused:
            await require_suitable(client)
    return str(refused.value)


async def test_a_suitable_redis_has_no_findings(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, connected(server.url) as client:
        assert await require_suitable(client) == []


async def test_everything_that_is_wrong_is_listed_with_its_cure(tmp_path: Path) -> None:
    options = {"maxmemory-policy": "allkeys-lru"}
    async with EmbeddedRedis(tmp_path, modules=False, appendonly=False, options=options) as server:
        message = await message_at(server.url)

    assert f"127.0.0.1:{server.port}" in message
    assert "no Search module" in message
    assert "no JSON module" in message
    assert message.count("use Redis 8, Redis Stack 7.4 or a managed endpoint") == 2
    assert "maxmemory-policy is allkeys-lru" in message
    assert "CONFIG SET maxmemory-policy noeviction" in message
    assert "append-only file is OFF" in message
    assert "CONFIG SET appendonly yes" in message


async def test_without_an_append_only_file_it_warns_and_goes_on(tmp_path: Path) -> None:
    async with (
        EmbeddedRedis(tmp_path, appendonly=False) as server,
        connected(server.url) as client,
    ):
        [warning] = await require_suitable(client)

    assert (warning.item, warning.severity) == ("append-only file", "warn")


async def test_one_missing_module_is_not_taken_for_two(tmp_path: Path) -> None:
    only_json = {"loadmodule": str(modules(tmp_path)[1])}
    async with EmbeddedRedis(tmp_path, modules=False, options=only_json) as server:
        findings = await findings_at(server.url)

    assert list(findings) == ["module Search"]


async def test_a_cluster_is_refused(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path, options={"cluster-enabled": "yes"}) as server:
        findings = await findings_at(server.url)

    assert [(name, it.severity) for name, it in findings.items()] == [("cluster", "refuse")]


async def test_a_replica_is_refused_and_the_primary_named(tmp_path: Path) -> None:
    async with (
        EmbeddedRedis(tmp_path / "primary") as primary,
        EmbeddedRedis(tmp_path / "replica") as replica,
        connected(replica.url) as client,
    ):
        await client.execute_command("REPLICAOF", "127.0.0.1", primary.port)
        findings = await findings_at(replica.url)

    assert findings["role"].severity == "refuse"
    assert f"127.0.0.1:{primary.port}" in findings["role"].cure


@pytest.mark.parametrize("databases", ["1", "2"])
async def test_another_database_is_refused(tmp_path: Path, databases: str) -> None:
    """Also where the server has no such database and answers nothing but that."""
    async with EmbeddedRedis(tmp_path, options={"databases": databases}) as server:
        findings = await findings_at(server.url.removesuffix("/0") + "/1")

    assert [(name, it.severity) for name, it in findings.items()] == [("database", "refuse")]
    assert "/0" in findings["database"].cure


async def test_resp3_is_refused(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server:
        findings = await findings_at(server.url, protocol=3)

    assert list(findings) == ["protocol"]


@pytest.mark.parametrize("login", [":wr0ng-Secret@", "somebody:wr0ng-Secret@", ""])
async def test_a_refused_login_is_said_without_the_password(tmp_path: Path, login: str) -> None:
    async with EmbeddedRedis(tmp_path, options={"requirepass": "right"}) as server:
        message = await message_at(f"redis://{login}127.0.0.1:{server.port}/0")

    assert "does not accept the user and password" in message
    assert f"127.0.0.1:{server.port}" in message
    assert "wr0ng-Secret" not in message


async def test_nothing_listening_is_said_without_the_password(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path, modules=False) as server:
        port = server.port

    message = await message_at(f"redis://:s3cret@127.0.0.1:{port}/0")

    assert f"127.0.0.1:{port} cannot be reached" in message
    assert "REDIS_URL" in message
    assert "s3cret" not in message


async def test_a_user_with_few_rights_is_warned_not_refused(tmp_path: Path) -> None:
    """What such a user may not see is unknown; the modules show themselves all the same."""
    async with EmbeddedRedis(tmp_path) as server:
        async with connected(server.url) as admin:
            await admin.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+get", "+set")
        findings = await findings_at(server.url.replace("//", "//app:pw@"))

    assert {finding.severity for finding in findings.values()} == {"warn"}
    assert set(findings) == {"eviction", "append-only file", "role", "cluster"}
    assert "CONFIG SET maxmemory-policy noeviction" in findings["eviction"].cure


async def test_eviction_is_found_where_only_config_may_be_read(tmp_path: Path) -> None:
    options = {"maxmemory-policy": "volatile-lru"}
    async with EmbeddedRedis(tmp_path, options=options) as server:
        async with connected(server.url) as admin:
            await admin.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+config|get")
        findings = await findings_at(server.url.replace("//", "//app:pw@"))

    assert findings["eviction"].severity == "refuse"
