"""What is owed by direct message, and to whom: each event of the trail in its order, once."""

from datetime import timedelta
from typing import Any

import pytest

from bot import steps
from bot.approvals import Approval, Doubt
from bot.audit import AuditEvent, Draft, Tag, chain
from bot.concerned import TO_REVIEWERS, TO_THE_REQUESTER, concerned
from bot.inquiries import inquire, reply
from bot.inslack import MessageRef
from bot.notices import TRY_AGAIN_AT_MOST, Notices
from bot.store import with_trail
from bot.views.notices import notice
from tests.bot import drawn
from tests.bot.samples import (
    MARA,
    NAMES,
    NOW,
    TOM,
    WHERE,
    actor,
    approval,
    approved,
    draft,
    request,
)

ASKED = inquire(approval(), actor(MARA), "Which parcel?", NOW).record
LINK = "https://acme.slack.com/archives/C0APPROVAL/p1700000000000100"


def told(tag: Tag, **changes: Any) -> AuditEvent:
    [event] = chain(None, [draft(tag, **changes)])
    return event


def test_a_commit_notes_which_of_its_events_are_to_be_told() -> None:
    drafts = [draft(tag) for tag in (Tag.REQUESTED, Tag.SHOWN, Tag.VOTED, Tag.APPROVED)]
    record = with_trail(approval(trail=3), [draft(approval_id="ap_2"), *drafts])
    assert isinstance(record, Approval)
    assert (record.trail, record.notices.due) == (7, (5, 7))
    kinds = [step.kind for step in steps.due(record, NOW)]
    assert "notify" in kinds


def test_a_workflow_that_nobody_asked_for_owes_none() -> None:
    record = with_trail(approval(requester=None), [draft(tag) for tag in TO_THE_REQUESTER])
    assert isinstance(record, Approval)
    assert record.notices == Notices()
    assert "notify" not in [step.kind for step in steps.due(record, NOW)]


@pytest.mark.parametrize(
    ("of", "event", "whom"),
    [
        (approval(), draft(Tag.SHOWN), (TOM,)),
        (approval(), draft(Tag.SHOWN, detail={"deleted_before": 1}), ()),
        (ASKED, draft(Tag.INQUIRED, actor=actor(MARA)), (TOM,)),
        (reply(ASKED, actor(TOM), "The second", NOW).record, draft(Tag.INQUIRED), ()),
        (approved(ASKED), draft(Tag.INQUIRED), ()),
        (approval(), draft(Tag.RUN_RETRIED, actor=actor(TOM)), ()),
        (approval(), draft(Tag.RUN_RETRIED, actor=actor(MARA)), (TOM,)),
        (approval(), draft(Tag.VOTED), ()),
        (approved(), draft(Tag.RUN_FAILED, detail={"error": "x"}), (TOM,)),
        (approved(), draft(Tag.RUN_FAILED, detail={"error": "x", "refused": True}), ()),
        (approval(doubt=Doubt(key="k", attempt="a")), draft(Tag.SHOWN), ()),
        (approval(), draft(Tag.REMINDED, detail={"users": [MARA, TOM]}), (MARA, TOM)),
        (approved(), draft(Tag.REMINDED, detail={"users": [MARA]}), ()),
        (approval(), draft(Tag.ESCALATED, detail={"users": [MARA]}), (MARA,)),
        (approval(), draft(Tag.ESCALATED, detail={}), ()),
        (approval(), draft(Tag.REASSIGNED, detail={"to": [MARA, TOM]}), (MARA, TOM)),
        (approved(), draft(Tag.REASSIGNED, detail={"to": [MARA]}), ()),
        (approval(), draft(Tag("approval:painted")), ()),
    ],
)
def test_whom_an_event_concerns(of: Approval, event: Draft, whom: tuple[str, ...]) -> None:
    assert concerned(of, event) == whom


def test_one_after_the_other_and_looked_for_where_nobody_knows() -> None:
    owed = Notices().add([2, 5])
    assert not owed.to_be_looked_for
    assert owed.trying().to_be_looked_for
    assert not owed.trying().one_told().to_be_looked_for
    done = owed.trying().one_told().all_told()
    assert (done.due, done.told) == ((5,), 0)
    assert [n.to_be_looked_for for n in (done.doubted(4), done.doubted(5))] == [False, True]


def test_a_refused_one_is_tried_ever_more_seldom_and_not_given_up() -> None:
    owed, waits = Notices().add([1]).trying(), list[timedelta]()
    for _ in range(12):
        owed = owed.in_vain(NOW)
        assert owed.at
        waits.append(owed.at - NOW)
    assert waits == sorted(waits)
    assert (waits[0].total_seconds(), waits[-1]) == (1, TRY_AGAIN_AT_MOST)
    assert owed.tried
    assert owed.one_told().at is None
    slow = owed.in_vain(NOW, retry_after=3600).at
    assert slow == NOW + timedelta(hours=1)


@pytest.mark.parametrize("tag", sorted({*TO_THE_REQUESTER, *TO_REVIEWERS}))
@pytest.mark.parametrize("link", ["", LINK])
def test_every_notice_can_be_sent(tag: Tag, link: str) -> None:
    hostile = "<!channel> *a* `b` & \u202e" + "x" * 3000
    detail = {"reason": hostile, "text": hostile, "error": hostile, "users": [MARA]}
    of = approval(request(title="<!here> & " + "y" * 140), expires_at=NOW)
    shown = notice(of, told(tag, actor=actor(), detail=detail), NAMES, link)
    assert drawn.problems(shown) == []


@pytest.mark.parametrize("tag", sorted({*TO_THE_REQUESTER, *TO_REVIEWERS}))
def test_a_restricted_request_is_named_by_its_title_only(tag: Tag) -> None:
    of = approval(request(sensitivity="restricted", summary="secret", details="secret"))
    of = of.given_up("secret", NOW)
    words = dict.fromkeys(("reason", "text", "error", "why"), "secret")
    detail = {**words, "users": [MARA]}
    shown = notice(of, told(tag, actor=actor(), detail=detail), NAMES, LINK)
    assert "secret" not in f"{shown.text} {shown.blocks}"
    normal = notice(of.to(request=request()), told(tag, detail=detail), NAMES, LINK)
    assert ("secret" in normal.text) == (tag in SAY_WHY)


SAY_WHY = {
    Tag.APPROVED,
    Tag.EDITED,
    Tag.REJECTED,
    Tag.ANSWERED,
    Tag.EFFECT_DONE,
    Tag.EFFECT_OUTDATED,
    Tag.EFFECT_REFUSED,
    Tag.OUTDATED,
    Tag.RUN_FAILED,
    Tag.SUPERSEDED,
    Tag.REASSIGNED,
    Tag.INQUIRED,
}


def test_a_card_that_is_found_after_a_loss_is_told_as_shown() -> None:
    """Posted, and Redis had forgotten it."""
    lost = approval().doubted()
    found = lost.rechecked(WHERE, 0, ahead=False, now=NOW)
    assert [event.tag for event in found.events] == [Tag.SHOWN]
    known = approval(message=WHERE).doubted()
    assert known.rechecked(WHERE, 0, ahead=False, now=NOW).events == ()
    nowhere: MessageRef | None = None
    assert lost.rechecked(nowhere, 0, ahead=False, now=NOW).events == ()
