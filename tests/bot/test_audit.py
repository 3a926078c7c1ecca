"""The trail is a chain: what was altered, left out, added or moved in it is found."""

import hashlib
import hmac
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.audit import GENESIS, AuditEvent, Keyring, Tag, UnknownKey, chain, first_broken
from tests.bot.samples import actor, after, draft

Events = list[AuditEvent]
TAGS = (Tag.REQUESTED, Tag.SHOWN, Tag.APPROVED, Tag.EFFECT_DONE)


def a_chain() -> Events:
    return chain(None, [draft(tag, at=after(n), actor=actor()) for n, tag in enumerate(TAGS)])


def test_a_chain_starts_at_nothing_and_each_event_names_the_one_before() -> None:
    events = a_chain()

    assert [event.seq for event in events] == [0, 1, 2, 3]
    assert events[0].previous == GENESIS
    assert [event.previous for event in events[1:]] == [event.hash for event in events[:-1]]
    assert first_broken(events) is None
    assert first_broken([]) is None


def test_a_chain_goes_on_where_it_ended() -> None:
    whole = a_chain()
    rest = chain(
        whole[1], [draft(tag, at=after(n + 2), actor=actor()) for n, tag in enumerate(TAGS[2:])]
    )

    assert whole[:2] + rest == whole
    assert chain(whole[-1], []) == []


def _altered(**changes: object) -> Callable[[Events], Events]:
    return lambda e: [e[0], e[1], e[2].model_copy(update=changes), e[3]]


def _forged(events: Events) -> Events:
    """Altered, with a hash that fits: the next event gives it away."""
    changed = events[2].model_copy(update={"tag": Tag.REJECTED})
    return [*events[:2], changed.model_copy(update={"hash": changed.digest_of_all()}), events[3]]


BREAKS: dict[str, tuple[Callable[[Events], Events], int]] = {
    "who": (_altered(actor=actor("U000JONAS")), 2),
    "when": (_altered(at=after(9)), 2),
    "what": (_altered(tag=Tag.REJECTED), 2),
    "on which digest": (_altered(digest="f" * 64), 2),
    "detail": (_altered(detail={"reason": "other"}), 2),
    "approval": (_altered(approval_id="ap_2"), 2),
    "hash": (_altered(hash="0" * 64), 2),
    "no hash": (_altered(hash=""), 2),
    "forged": (_forged, 3),
    "first left out": (lambda e: e[1:], 0),
    "one left out": (lambda e: [e[0], *e[2:]], 1),
    "doubled": (lambda e: [e[0], e[0], *e[1:]], 1),
    "swapped": (lambda e: [e[0], e[2], e[1], e[3]], 1),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_chain_is_found_where_it_breaks(name: str) -> None:
    change, position = BREAKS[name]

    assert first_broken(change(a_chain())) == position


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@example(details=[{"amount": math.nan}, {"amount": math.inf}])
@given(details=st.lists(st.dictionaries(st.text(max_size=8), JSON, max_size=3), max_size=4))
def test_a_chain_read_back_is_unbroken_whatever_its_events_say(
    details: list[dict[str, object]],
) -> None:
    events = chain(None, [draft(detail=detail) for detail in details])
    stored = [event.model_dump_json() for event in events]

    assert first_broken(AuditEvent.model_validate_json(text) for text in stored) is None


def test_the_hash_is_one_that_anyone_can_compute() -> None:
    """SHA-256 over the event as stored, without its hash: sorted keys, no spaces."""
    [event] = chain(None, [draft(detail={"b": "é", "a": 1})])
    body = json.loads(event.model_dump_json())
    del body["hash"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert event.hash == hashlib.sha256(text.encode()).hexdigest()


def test_a_signed_chain_holds_only_for_who_knows_the_secret() -> None:
    ours, guessed = Keyring({"ours": b"k" * 32}), Keyring({"ours": b"g" * 32})
    events = chain(None, [draft(), draft()], ours)
    body = events[0].model_dump(mode="json", exclude={"hash"}, exclude_unset=True)
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert events[0].hash == hmac.new(b"k" * 32, canonical.encode(), "sha256").hexdigest()
    assert first_broken(events, ours) is None
    assert first_broken(events, guessed) == 0
    forged = hashlib.sha256(canonical.encode()).hexdigest()  # as anyone can
    assert first_broken([events[0].model_copy(update={"hash": forged})], ours) == 0
    with pytest.raises(UnknownKey, match="ours"):
        first_broken(events, Keyring({"other": b"k" * 32}))
