"""Writing to patients through a FHIR R4 server: `Consent` is looked up, `Communication` is created.

A Communication carries the operation's id as its identifier, and is created on condition that none
does so (If-None-Exist): the same operation is one message however often it is sent, and `find`
searches by it. Searches go by POST, since what stands in an address ends up in logs; and nothing
that the server answers goes into an error, since it may quote what it was sent.
"""

import contextlib
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from pydantic import SecretStr

from workflows.clock import Clock, utc_now
from workflows.effects import EffectInDoubt, EffectRefused, Receipt

SYSTEM = "urn:countersign:operation"  # of our identifiers
FHIR_JSON = "application/fhir+json"
FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
TIMEOUT = 30.0  # seconds for one answer
PAGE = 100  # more of one patient's consents are nobody's to weigh
NOT_SENT = ("not-done", "stopped", "entered-in-error")
REFUSES = (400, 404, 405, 410, 413, 422)
NOT_OURS = (401, 403)
SEVERAL_MATCH = 412


@dataclass(frozen=True)
class FhirPatients:
    """base: of the server, such as https://fhir.example/r4. category: which consents say whether
    they may be written to, as `system|code`. token: a bearer's. A client lives for one call, since
    a worker has more than one loop."""

    base: str
    category: str
    token: SecretStr | None = None
    now: Clock = utc_now

    async def consents(self, patient: str) -> bool:
        """An active Consent of the category that permits it, and none that denies it."""
        asked = {"patient": _reference(patient), "category": self.category, "status": "active"}
        found = await self._search("Consent", asked)
        kinds = [_kind(each) for each in found if _in_force(each, self.now())]
        return "permit" in kinds and "deny" not in kinds

    async def send(self, key: str, *, patient: str, template: str, body: str) -> Receipt:
        wanted = {
            "resourceType": "Communication",
            "identifier": [{"system": SYSTEM, "value": key}],
            "status": "in-progress",
            "subject": {"reference": _reference(patient)},
            "topic": {"text": template},
            "payload": [{"contentString": body}],
        }
        headers = {
            "Content-Type": FHIR_JSON,
            "If-None-Exist": f"identifier={SYSTEM}|{key}",
            "Prefer": "return=representation",
        }
        async with self._client() as client:
            answer = await client.post("Communication", json=wanted, headers=headers)
        if answer.status_code == SEVERAL_MATCH:
            raise EffectInDoubt(f"The server has more than one message of {key}: look there")
        _require(answer)
        return _receipt(answer.json())

    async def find(self, key: str) -> Receipt | None:
        found = await self._search("Communication", {"identifier": f"{SYSTEM}|{key}"})
        if len(found) > 1:
            raise EffectInDoubt(f"The server has more than one message of {key}: look there")
        return _receipt(found[0]) if found else None

    async def _search(self, kind: str, asked: Mapping[str, str]) -> list[Mapping[str, Any]]:
        async with self._client() as client:
            answer = await client.post(f"{kind}/_search", data={**asked, "_count": str(PAGE)})
        _require(answer)
        bundle = answer.json()
        if any(link.get("relation") == "next" for link in bundle.get("link", ())):
            raise EffectRefused(f"The server has more than {PAGE} resources {kind} of it")
        found = [each["resource"] for each in bundle.get("entry", ())]
        return [each for each in found if each["resourceType"] == kind]

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        headers = {"Accept": FHIR_JSON}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        base = f"{self.base.rstrip('/')}/"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=TIMEOUT) as client:
            yield client


def _reference(patient: str) -> str:
    """Anything else than an id would ask for another patient, or for several."""
    if not FHIR_ID.fullmatch(patient):
        raise EffectRefused("What names the patient is no id of FHIR: letters, digits, '-' and '.'")
    return f"Patient/{patient}"


def _kind(consent: Mapping[str, Any]) -> str:
    return str((consent.get("provision") or {}).get("type") or "")


def _in_force(consent: Mapping[str, Any], now: datetime) -> bool:
    """By day: its end may be given as a day, a month or a year."""
    period = (consent.get("provision") or {}).get("period") or {}
    start, end = str(period.get("start") or "")[:10], str(period.get("end") or "")[:10]
    today = now.date().isoformat()
    return start <= today[: len(start)] and (not end or end >= today[: len(end)])


def _receipt(communication: Mapping[str, Any]) -> Receipt:
    name = f"Communication/{communication['id']}"
    status = str(communication.get("status") or "unknown")
    if status in NOT_SENT:
        raise EffectRefused(f"The server did not send it: {name} is {status}")
    return Receipt(id=name, summary="Sent", data={"status": status})


def _require(answer: httpx.Response) -> None:
    """EffectRefused where the server certainly did not do it. All else is an attempt that failed,
    or nobody knows; its error names no address."""
    code = answer.status_code
    if code in NOT_OURS:
        raise EffectRefused(f"The FHIR server refuses our token ({code})")
    if code in REFUSES:
        raise EffectRefused(f"The FHIR server does not take it ({code})")
    if not answer.is_success:
        raise ConnectionError(f"the FHIR server answers {code}")
