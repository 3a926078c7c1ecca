"""Every surface there is, of an approval in every state: Slack takes it, and no payload speaks."""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.approvals import Approval
from bot.audit import GENESIS, AuditEvent, Tag
from bot.concerned import TO_REVIEWERS, TO_THE_REQUESTER
from bot.local.mentions import notified
from bot.policy import Why
from bot.query import Place, Query
from bot.views.answers import refusal
from bot.views.away import deputised
from bot.views.card import Card, card
from bot.views.deciding import decision_view
from bot.views.details import details_view, review_view
from bot.views.handing import reassign_view
from bot.views.home import Away, Home, home_view
from bot.views.inquiry import answer_view, question_view
from bot.views.listing import PAGE_SIZE, Count, Page, Whereabouts, pending_list, thread_report
from bot.views.modals import Carried, told_view
from bot.views.notices import notice
from bot.views.several import Became, became_view, several_view
from bot.views.text import Block, clean
from bot.views.trail import NOT_TOLD, reply
from tests.bot import drawn
from tests.bot.samples import MARA, NOW, TOM, actor, draft, run
from tests.properties.records import PEOPLE, doubtful, records, waiting
from tests.properties.requests import text

MANY = settings(
    max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "6")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HOSTILE_NAMES = {MARA: "<!channel>\u202e" + "&" * 5000, TOM: "@everyone"}
LINK = "https://acme.slack.com/archives/C0APPROVAL/p1700000000000100"
NOBODY = {"U666EVIL", "S666EVIL", "everyone", "channel", "here"}  # named by payloads only


def problems(shown: Card) -> list[str]:
    """Of a message."""
    loud = notified({"text": shown.text, "blocks": shown.blocks}) & NOBODY
    return [*drawn.problems(shown), *(f"notifies {each}" for each in loud)]


def problems_of(view: Block | None, kind: Any = "modal") -> list[str]:
    """Of a view; there may be none."""
    if view is None:
        return []
    loud = notified({"blocks": view["blocks"]}) & NOBODY
    return [*drawn.problems_of_view(view, kind), *(f"notifies {each}" for each in loud)]


def actions(value: Any) -> set[str]:
    """The action ids of all that can be clicked or filled in."""
    found = (each["action_id"] for each in drawn.every(value) if "action_id" in each)
    return {each.partition(".")[0] for each in found}


@given(of=records)
@MANY
def test_a_card_is_taken_in_every_state(of: Approval) -> None:
    shown = card(of, HOSTILE_NAMES)
    assert problems(shown) == []
    assert ("countersign_retry" in actions(shown.blocks)) == bool(
        of.outcome and of.outcome.run_failed
    )
    assert ("countersign_more" in actions(shown.blocks)) == of.is_open


@given(of=waiting())
@MANY
def test_whatever_waits_can_be_decided_on_its_card_or_where_it_is_shown(of: Approval) -> None:
    shown = actions(card(of, HOSTILE_NAMES).blocks)
    if of.restricted:
        assert "countersign_details" in shown
        shown = actions(review_view(of, HOSTILE_NAMES))
    saying = "_saying" if of.policy.reason_required else ""
    wanted = {f"countersign_{each}{saying}" for each in ("approve", "reject")}
    wanted |= {f"countersign_{e}" for e in ("edit", "respond") if e in of.request.allowed_decisions}
    assert wanted <= shown
    assert bool(of.votes) == ("countersign_withdraw" in actions(card(of, {}).blocks))


@given(of=doubtful())
@MANY
def test_whatever_is_in_doubt_can_be_settled(of: Approval) -> None:
    shown = card(of, HOSTILE_NAMES) if not of.restricted else None
    where = shown.blocks if shown else review_view(of, HOSTILE_NAMES)
    happened = {"countersign_happened", "countersign_not_happened", "countersign_call_again"}
    assert happened <= actions(where)


@given(of=records)
@MANY
def test_a_modal_about_it_is_taken(of: Approval) -> None:
    views = [details_view(of, HOSTILE_NAMES), review_view(of, HOSTILE_NAMES)]
    views += [decision_view(of, each, MARA) for each in ("approve", "reject", "respond")]
    views += [reassign_view(of, MARA, whole=whole, missing=50) for whole in (True, False)]
    views += [question_view(of, MARA), answer_view(of, TOM)]
    for view in views:
        assert problems_of(view) == []
        if "submit" in view:
            assert Carried.read(view["private_metadata"]) is not None
            assert any(block["type"] == "input" for block in view["blocks"])


@given(of=waiting().filter(lambda each: each.request.editable is not None))
@MANY
def test_a_form_to_edit_it_is_taken(of: Approval) -> None:
    """A value stands in it as it is, or editing would change it: its hint says what is not seen."""
    found = problems_of(decision_view(of, "edit", MARA))
    assert [each for each in found if not each.startswith("hidden: ")] == []


@given(each=st.lists(waiting(risk=st.just("low")), max_size=3), times=st.sampled_from([1, 4]))
@MANY
def test_several_can_be_decided_together(each: list[Approval], times: int) -> None:
    carried = Carried(opener=MARA, about="refund")
    assert problems_of(several_view(_numbered(each, times), {}, carried)) == []
    told = [Became(one.request.title, refusal(why, one, "approve")) for one in each for why in Why]
    assert problems_of(became_view("approve", told[:10])) == []


def _numbered(some: list[Approval], times: int) -> list[Approval]:
    """So many times each, and each with an id of its own."""
    return [one.to(id=f"ap_{number}") for number, one in enumerate(some * times)]


@given(
    some=st.lists(records, min_size=1, max_size=2),
    times=st.sampled_from([1, 10]),
    note=text,
    typed=text,
)
@MANY
def test_lists_the_report_and_app_home_are_taken(
    some: list[Approval], times: int, note: str, typed: str
) -> None:
    every = _numbered(some, times)
    ids = frozenset(each.id for each in every if each.is_open)
    query = Query(text=clean(typed)[:100], workflow="w" * 60)
    where = Whereabouts({every[0].id: LINK}, {each.id: note for each in every})
    place = Place(at=1.0, id="ap_" + "f" * 40, edge=1.0)
    page = Page(every[:PAGE_SIZE], query, 10**9, Count(10**9, 10**9, 500), ids, place, place)
    assert problems(pending_list(page, where, NOW)) == []
    for value in drawn.every(pending_list(page, where, NOW).blocks):
        assert len(value.get("value", "")) <= 2000
    assert problems(thread_report(run(error=note), every, where)) == []
    waits = Page(every, Query(), len(every), Count(len(ids), len(ids)), ids)
    home = Home(waits, every[:8], where, Away(TOM, NOW), HOSTILE_NAMES)
    assert problems_of(home_view(home, NOW), "home") == []


notices = sorted({*TO_REVIEWERS, *TO_THE_REQUESTER})


@given(of=records, tag=st.sampled_from(notices), said=text, link=st.sampled_from(["", LINK]))
@MANY
def test_a_direct_message_is_taken(of: Approval, tag: Tag, said: str, link: str) -> None:
    assert problems(notice(of, _event(tag, said), HOSTILE_NAMES, link)) == []
    waits = [of] * 12
    assert problems(deputised(MARA, NOW, waits, [""] * 10, HOSTILE_NAMES)) == []


def _event(tag: Tag, said: str) -> AuditEvent:
    """With these words wherever it may have some, and as many people as there can be."""
    detail: dict[str, Any] = dict.fromkeys(
        ("reason", "text", "error", "why", "code", "instance", "stage", "type"), said
    )
    to: Any = MARA if tag in (Tag.INQUIRED, Tag.REPLIED, Tag.DELEGATED) else PEOPLE
    detail |= {"users": PEOPLE, "to": to} | {"from": MARA, "on_behalf_of": TOM}
    detail |= {"others": 10**6, "voided": [MARA], "whole": True, "until": NOW.isoformat()}
    event: Any = draft(tag, actor=actor(), digest="d" * 64).model_copy(update={"detail": detail})
    return AuditEvent.model_construct(**dict(event), seq=10**9, previous=GENESIS, hash="h" * 64)


@given(tag=st.sampled_from(sorted(set(Tag) - NOT_TOLD)), said=text, restricted=st.booleans())
@MANY
def test_a_reply_is_taken(tag: Tag, said: str, restricted: bool) -> None:
    shown = reply(_event(tag, said), HOSTILE_NAMES, restricted=restricted)
    assert shown is not None
    allowed = [each for each in problems(shown) if not each.startswith("alive: ")]
    assert allowed == []


@given(why=st.sampled_from(Why), of=records, doing=text)
@MANY
def test_a_refusal_is_taken(why: Why, of: Approval, doing: str) -> None:
    words = refusal(why, of, doing)
    assert drawn.problems_of_text(words) == []
    assert notified({"text": words}) & NOBODY == set()
    assert problems_of(told_view(words)) == []
