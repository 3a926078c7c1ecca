"""Signature requests by Dropbox Sign's API v3 (`signature_request/send` and `/list`).

It knows no idempotency keys. So each request carries the operation in its metadata, and before one
is sent again it is looked for: by a search, and among the newest, because what was sent just now
may be missing from a search (their "Using Search on List Endpoints").
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, cast

import httpx

from workflows.connectors.signing import Contract
from workflows.effects import EffectNotYet, EffectRefused, Receipt

API = "https://api.hellosign.com/v3/"
OPERATION = "countersign_operation"  # keys of the metadata: the operation, and one word for it
LOOKUP = "countersign_lookup"
TEST_MODE = "it is sent in the test mode of Dropbox Sign, and binds nobody"
PATIENCE = httpx.Timeout(60.0, connect=15.0)
LOOKS = (0.0, 5.0, 15.0)  # seconds before each: their index is a little behind
PAGE = 100  # the most that they list at once
NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
CURES = {
    401: "check COUNTERSIGN_DROPBOX_SIGN_KEY",
    402: "the account's plan or quota does not cover it",
    403: "the account may not do this",
    404: "check COUNTERSIGN_DROPBOX_SIGN_URL",
}


class SigningUnclear(Exception):
    """No answer, or none that can be read: it may have been sent, and is looked for next."""


class DropboxSign:
    """looks: pauses before each look for what may have been sent."""

    def __init__(
        self, key: str, url: str = API, *, test: bool = False, looks: tuple[float, ...] = LOOKS
    ) -> None:
        self._key = key
        self._url = url if url.endswith("/") else f"{url}/"
        self._test = test
        self._looks = looks

    @property
    def trial(self) -> str:
        return TEST_MODE if self._test else ""

    async def send(self, key: str, contract: Contract, document: bytes) -> Receipt:
        """Whatever is neither taken nor refused with words is unclear."""
        form = {
            "title": contract.title,
            "subject": contract.title,
            "message": contract.message,
            "test_mode": "1" if self._test else "0",
            f"metadata[{OPERATION}]": key,
            f"metadata[{LOOKUP}]": _word(key),
            "metadata[sha256]": contract.sha256,
            "metadata[roles]": "; ".join(each.role for each in contract.parties),
        }
        for number, each in enumerate(contract.parties):
            form[f"signers[{number}][name]"] = each.name
            form[f"signers[{number}][email_address]"] = each.email
        async with self._client() as client:
            answer = await _ask(
                client,
                "POST",
                "signature_request/send",
                data={name: value for name, value in form.items() if value},
                files={"files[0]": (contract.file_name, document)},
            )
        return _receipt(_mapping(answer.get("signature_request")), len(contract.parties))

    async def find(self, key: str) -> Receipt | None:
        async with self._client() as client:
            for pause in self._looks:
                await asyncio.sleep(pause)
                for query in ({"query": f"metadata:{_word(key)}"}, {}):
                    found = await _look(client, key, query)
                    if found is not None:
                        return found
        return None

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._url, auth=(self._key, ""), timeout=PATIENCE)


async def _look(client: httpx.AsyncClient, key: str, query: dict[str, str]) -> Receipt | None:
    """Among the newest that match."""
    listed = {"page": "1", "page_size": str(PAGE), **query}
    answer = await _ask(client, "GET", "signature_request/list", params=listed)
    requests = answer.get("signature_requests")
    if not isinstance(requests, list):
        raise SigningUnclear("Dropbox Sign answered with something that cannot be read")
    for each in map(_mapping, cast("list[Any]", requests)):
        if _mapping(each.get("metadata")).get(OPERATION) == key:
            return _receipt(each, len(cast("list[Any]", each.get("signatures") or [])))
    return None


async def _ask(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    """The answer. EffectNotYet where it did not get there, or is asked to wait."""
    try:
        response = await client.request(method, path, **request)
    except NOT_REACHED as error:
        raise EffectNotYet(f"Dropbox Sign was not reached ({type(error).__name__})") from None
    except httpx.HTTPError as error:
        raise SigningUnclear(f"Dropbox Sign did not answer: {type(error).__name__}") from None
    if response.status_code >= 300:
        raise _refusal(response)
    return _json(response)


def _refusal(response: httpx.Response) -> Exception:
    """4xx: certainly not done, and 429 later; 5xx, or what stands in between: nobody knows."""
    status, error = response.status_code, _mapping(_json_or_none(response).get("error"))
    said = f"{error.get('error_name') or status}: {error.get('error_msg') or 'no words'}"[:300]
    if status == 429:
        return EffectNotYet(f"Dropbox Sign asks for patience ({said})")
    if not 400 <= status < 500 or status == 408:
        return SigningUnclear(f"Dropbox Sign fails ({said})")
    path = error.get("error_path")
    where = f", in {path}" if path else ""
    cure = f"; {CURES[status]}" if status in CURES else ""
    return EffectRefused(f"Dropbox Sign refuses it ({said}{where}){cure}")


def _json(response: httpx.Response) -> dict[str, Any]:
    answer = _json_or_none(response)
    if not answer:
        raise SigningUnclear("Dropbox Sign answered with something that cannot be read")
    return answer


def _json_or_none(response: httpx.Response) -> dict[str, Any]:
    try:
        return dict(_mapping(response.json()))
    except ValueError:
        return {}


def _receipt(request: Mapping[str, Any], signers: int) -> Receipt:
    id_ = request.get("signature_request_id")
    if not isinstance(id_, str) or not id_:
        raise SigningUnclear("Dropbox Sign named no signature request")
    people = "1 person" if signers == 1 else f"{signers} people"
    test = "Test mode, binding nobody: c" if request.get("test_mode") else "C"
    return Receipt(
        id=id_,
        summary=f"{test}ontract sent to {people} for signature",
        data={"details_url": str(request.get("details_url") or "")},
    )


def _word(key: str) -> str:
    """For a search, in which a key's own punctuation would mean something."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
