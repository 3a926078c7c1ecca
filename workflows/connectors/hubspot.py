"""Records of HubSpot, by its public CRM API (v3) over HTTP.

HubSpot has no conditional write, and no idempotency key. Instead:

A version is the time of the newest change of the properties that were read, from their history:
also of one that was changed back. `updatedAt` would not do, since HubSpot moves it by itself.

Whether an update happened is told after a crash by what was written along: where a property is
named for it (`mark`), the key stands in its history, whatever became of the values since. Without
one, the history of each property tells: the ledger looks at the version right before its call, so
what we wrote is what follows the version that was shown. Where each of them goes on with exactly
the value that was approved, there is nothing left to write, whoever wrote it. Where one does not,
nothing is written over it: the version is another, the approval void, and it is asked anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx

from workflows.connectors.crm import NAMED_BY, Kind, Record, receipt
from workflows.effects import EffectNotYet, EffectRefused, ProviderAway, Receipt

HUBSPOT = "https://api.hubapi.com"
WITHIN = 20.0  # seconds for an answer
OBJECTS: dict[Kind, str] = {"contact": "contacts", "company": "companies", "deal": "deals"}
# Not now: a lock, a limit, an account that is being moved. Nothing was done.
LATER = frozenset({423, 429, 477})
WORDS_AT_MOST = 300

Json = dict[str, Any]


@dataclass(frozen=True)
class HubSpot:
    """token: of a private app, with the scopes `crm.objects.*.read` and `.write`. mark: a property
    of text, by its internal name, that each object type here has."""

    token: str
    url: str = HUBSPOT
    mark: str = ""
    within: float = WITHIN

    async def read(self, kind: Kind, record_id: str, properties: Sequence[str]) -> Record | None:
        names = list(dict.fromkeys((*properties, *NAMED_BY[kind])))
        found = await self._get(kind, record_id, names)
        if found is None:
            return None
        values, history = found["properties"], found["propertiesWithHistory"]
        unknown = [name for name in names if name not in values]
        if unknown:  # HubSpot passes over what it does not know
            raise EffectRefused(f"HubSpot: a {kind} has no property {unknown[0]!r}")
        told = [each for name in names for each in history.get(name, ())]
        return Record(
            kind=kind,
            id=record_id,
            version=max(told, key=_at)["timestamp"] if told else "",
            values={name: values[name] or "" for name in names},
            url=found.get("url") or "",
        )

    async def update(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt:
        written = {**values, **({self.mark: key} if self.mark else {})}
        body = {"properties": written}
        answer = await self._ask("PATCH", was.kind, was.id, json=body)
        if answer is None:
            raise EffectRefused(f"HubSpot has no {was.kind} {was.id} any more")
        return receipt(was, values, answer.get("updatedAt") or "")

    async def find(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt | None:
        names = [*values, *([self.mark] if self.mark else [])]
        found = await self._get(was.kind, was.id, names)
        if found is None:
            return None
        history: dict[str, list[Json]] = found["propertiesWithHistory"]
        if self.mark:
            marks = [each.get("value") for each in history.get(self.mark, ())]
            return receipt(was, values, was.version) if key in marks else None
        written = was.differs(values)
        followed = (_next(history.get(name, []), was.version) == written[name] for name in written)
        return receipt(was, values, was.version) if all(followed) else None

    async def _get(self, kind: Kind, record_id: str, names: Sequence[str]) -> Json | None:
        listed = ",".join(names)
        wanted = {"properties": listed, "propertiesWithHistory": listed, "archived": "false"}
        found = await self._ask("GET", kind, record_id, params=wanted)
        if found is None:
            return None
        try:
            return {
                **found,
                "properties": dict(found["properties"]),
                "propertiesWithHistory": dict(found.get("propertiesWithHistory") or {}),
            }
        except (KeyError, TypeError, ValueError):
            raise ProviderAway("HubSpot answers in a form that we do not know") from None

    async def _ask(self, method: str, kind: Kind, record_id: str, **sent: Any) -> Json | None:
        """None where there is no such record."""
        path = f"/crm/v3/objects/{OBJECTS[kind]}/{record_id}"
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=self.within
            ) as client:
                answer = await client.request(method, path, **sent)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise EffectNotYet(f"HubSpot cannot be reached ({type(error).__name__})") from None
        except httpx.TimeoutException:
            raise ProviderAway(f"HubSpot does not answer within {self.within:g} s") from None
        except httpx.HTTPError as error:
            raise ProviderAway(f"HubSpot broke off ({type(error).__name__})") from None
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not answer.is_success:
            raise _refusal(answer)
        found = _json(answer)
        if found is None:
            raise ProviderAway("HubSpot answers in a form that we do not know")
        return found


def _next(history: Sequence[Json], version: str) -> str | None:
    """The first value that followed the version; None: none did."""
    later = [each for each in history if not version or _at(each) > _moment(version)]
    return min(later, key=_at)["value"] if later else None


def _at(change: Json) -> datetime:
    return _moment(change["timestamp"])


def _moment(written: str) -> datetime:
    """HubSpot leaves out the fraction of a second where it is zero."""
    return datetime.fromisoformat(written)


def _refusal(answer: httpx.Response) -> EffectRefused | EffectNotYet | ProviderAway:
    """Trying again helps where HubSpot is busy or broken, and nowhere else."""
    code, found = answer.status_code, _json(answer) or {}
    said = " ".join(str(found.get("message") or "").split())[:WORDS_AT_MOST]
    if code in LATER:
        wait = answer.headers.get("Retry-After")
        return EffectNotYet(f"HubSpot asks to wait{f' {wait} s' if wait else ''} ({code})")
    if answer.is_server_error:
        return ProviderAway(f"HubSpot is out of order ({code})")
    if code == HTTPStatus.UNAUTHORIZED:
        return EffectRefused("HubSpot does not take the token: set COUNTERSIGN_HUBSPOT_TOKEN")
    if code == HTTPStatus.FORBIDDEN:
        return EffectRefused("HubSpot: the token lacks a scope, crm.objects.*.read or .write")
    if code == HTTPStatus.CONFLICT:
        return EffectRefused(f"HubSpot: another record has this value already. {said}")
    return EffectRefused(f"HubSpot refuses it ({code}): {said or answer.reason_phrase}")


def _json(answer: httpx.Response) -> Json | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
