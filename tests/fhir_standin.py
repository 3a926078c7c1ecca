"""A FHIR R4 server on loopback, as strict as the specification: Consent and Communication.

From hl7.org/fhir/R4: media types, `POST [type]/_search` with a form, searchset Bundles, conditional
create (none: 201, one: 200 and what is there, several: 412), OperationOutcome, required elements.
"""

import contextlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

TOKEN = "fhir-token"
JSON = "application/fhir+json"
CATEGORY = "http://loinc.org|59284-0"
STATUSES = (
    *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed"),
    *("entered-in-error", "unknown"),
)
SEARCHES = {
    "Consent": {"patient", "category", "status", "_count"},
    "Communication": {"identifier", "_count"},
}
KNOWN = {"resourceType", "identifier", "status", "subject", "topic", "payload"}
Trouble = Literal["lost", "away", "500", "429", "ok"]
Resource = dict[str, Any]


@dataclass
class FhirStandIn:
    """messages: the Communications, oldest first. addresses: all that stood in an address.
    trouble: what the next messages meet."""

    patients: set[str] = field(default_factory=set[str])
    consents: list[Resource] = field(default_factory=list[Resource])
    messages: list[Resource] = field(default_factory=list[Resource])
    addresses: list[str] = field(default_factory=list[str])
    trouble: deque[Trouble] = field(default_factory=deque[Trouble])
    base: str = ""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncGenerator[Self, None]:
        fhir = cls()
        application = web.Application(middlewares=[fhir._checked])
        application.router.add_post("/r4/{type}/_search", fhir._search)
        application.router.add_post("/r4/Communication", fhir._create)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            fhir.base = f"http://127.0.0.1:{runner.addresses[0][1]}/r4"
            yield fhir
        finally:
            await runner.cleanup()

    def agrees(self, of: str, kind: str = "permit", **more: Any) -> Resource:
        """Someone's Consent is written down."""
        system, code = CATEGORY.split("|")
        self.patients.add(of)
        consent: Resource = {
            "resourceType": "Consent",
            "id": f"c{next(self._numbers)}",
            "status": "active",
            "category": [{"coding": [{"system": system, "code": code}]}],
            "patient": {"reference": f"Patient/{of}"},
            "provision": {"type": kind},
            **more,
        }
        self.consents.append(consent)
        return consent

    @web.middleware
    async def _checked(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.addresses.append(str(request.rel_url))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _outcome(401, "login", "who are you?")
        if JSON not in request.headers.get("Accept", ""):
            return _outcome(406, "not-supported", "only JSON is spoken here")
        return await handler(request)

    async def _search(self, request: web.Request) -> web.Response:
        kind = request.match_info["type"]
        if request.content_type != "application/x-www-form-urlencoded":
            return _outcome(415, "not-supported", "a search is a form")
        asked = {name: str(value) for name, value in (await request.post()).items()}
        unknown = set(asked) - SEARCHES.get(kind, set())
        if unknown:
            return _outcome(400, "not-supported", f"unknown search parameter {unknown}")
        if kind == "Consent":
            found = [each for each in self.consents if _matches(each, asked)]
        else:
            found = self._identified(asked["identifier"])
        count = int(asked.get("_count", "20"))
        links = [{"relation": "self", "url": f"{self.base}/{kind}"}]
        links += [{"relation": "next", "url": f"{self.base}?page=2"}] if len(found) > count else []
        entries = [{"resource": each, "search": {"mode": "match"}} for each in found[:count]]
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        bundle |= {"link": links, **({"entry": entries} if entries else {})}  # no empty arrays
        return web.json_response(bundle, content_type=JSON)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        trouble = self.trouble.popleft() if self.trouble else "ok"
        if trouble == "away":
            return _hang_up(request)
        if trouble in ("500", "429"):
            return _outcome(int(trouble), "transient", "busy")
        if request.content_type != JSON:
            return _outcome(415, "not-supported", "a resource is application/fhir+json")
        wanted = await request.json()
        problem = self._problem(wanted)
        if problem:
            return _outcome(422, "invalid", problem)
        condition = request.headers.get("If-None-Exist", "")
        name, _, token = condition.partition("=")
        there = self._identified(token) if name == "identifier" else []
        if len(there) > 1:
            return _outcome(412, "multiple-matches", "several match")
        if there:
            return web.json_response(there[0], content_type=JSON)
        made: Resource = {**wanted, "id": f"m{next(self._numbers)}"}
        self.messages.append(made)
        if trouble == "lost":
            return _hang_up(request)
        where = {"Location": f"{self.base}/Communication/{made['id']}/_history/1"}
        return web.json_response(made, status=201, headers=where, content_type=JSON)

    def _identified(self, token: str) -> list[Resource]:
        system, _, value = token.partition("|")
        wanted = {"system": system, "value": value}
        return [each for each in self.messages if wanted in each["identifier"]]

    def _problem(self, wanted: Resource) -> str:
        if set(wanted) - KNOWN:
            return f"unknown elements {set(wanted) - KNOWN}"
        if wanted.get("resourceType") != "Communication" or wanted.get("status") not in STATUSES:
            return "Communication.status: is required, and of its value set"
        if wanted.get("subject", {}).get("reference", "")[8:] not in self.patients:
            return f"subject: {wanted.get('subject')} is not known"
        texts = [each.get("contentString") for each in wanted.get("payload", [])]
        return "" if texts and all(texts) else "payload: is empty"


def _matches(consent: Resource, asked: dict[str, str]) -> bool:
    codings = [coding for each in consent["category"] for coding in each["coding"]]
    return (
        consent["patient"]["reference"] in asked.get("patient", "").split(",")
        and consent["status"] == asked.get("status", consent["status"])
        and any(f"{each['system']}|{each['code']}" == asked.get("category") for each in codings)
    )


def _outcome(status: int, code: str, words: str) -> web.Response:
    issue = [{"severity": "error", "code": code, "diagnostics": words}]
    body = {"resourceType": "OperationOutcome", "issue": issue}
    return web.json_response(body, status=status, content_type=JSON)


def _hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()
