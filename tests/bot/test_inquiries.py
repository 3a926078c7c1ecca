"""Ask back: one open question at a time, answered by the requester alone."""

import pytest

from bot.approvals import Approval, Closed
from bot.audit import Tag, chain
from bot.inquiries import KEPT_AT_MOST, inquire, refuse_answer, refuse_question, reply
from bot.policy import Why
from bot.views.card import card
from bot.views.trail import reply as told
from tests.bot.samples import (
    JONAS,
    MARA,
    NAMES,
    NOW,
    TOM,
    actor,
    after,
    approval,
    approve,
    member,
    request,
)
from workflows.payloads import Asked


def asked(of: Approval | None = None, question: str = "Which parcel?") -> Approval:
    return inquire(of or approval(), actor(MARA), question, NOW).record


def drawn(of: Approval) -> str:
    return str(card(of, NAMES).blocks)


def test_the_card_waits_for_the_requester_until_they_answer() -> None:
    waits = asked()
    assert "Waits for " in drawn(waits)
    assert "Which parcel?" in drawn(waits)
    answered = reply(waits, actor(TOM), "The second", after(5)).record
    assert answered.inquiry is None
    assert "Waits for " not in drawn(answered)
    assert "The second" in drawn(answered)


def test_it_can_be_decided_meanwhile() -> None:
    waits = asked()
    decided = waits.decide(approve(waits), after(1)).record
    assert decided.status == "approved"
    assert "Which parcel?" not in drawn(decided)
    with pytest.raises(Closed):
        reply(decided, actor(TOM), "The second", after(5))
    with pytest.raises(Closed):
        inquire(decided, actor(MARA), "And?", after(5))


def test_only_who_is_asked_answers_and_once() -> None:
    waits = asked()
    assert refuse_answer(waits, member(MARA)) == Why.NOT_ASKED
    assert refuse_answer(waits, member(TOM, team="T0ELSEWHERE")) == Why.OTHER_WORKSPACE
    assert refuse_answer(waits, member(TOM)) is None
    answered = reply(waits, actor(TOM), "The second", after(5)).record
    assert refuse_answer(answered, member(TOM)) == Why.NOTHING_ASKED
    with pytest.raises(Closed):
        reply(answered, actor(TOM), "The third", after(6))


def test_one_question_at_a_time_and_not_without_end() -> None:
    of = approval()
    assert refuse_question(of.to(requester=None)) == Why.NO_REQUESTER
    for number in range(KEPT_AT_MOST):
        assert refuse_question(of) is None
        of = asked(of, f"Question {number}")
        assert refuse_question(of) == Why.ASKED_ALREADY
        of = reply(of, actor(TOM), "Yes", NOW).record
    assert refuse_question(of) == Why.ASKED_ENOUGH


def test_the_thread_mentions_who_is_asked_and_who_asked() -> None:
    question = inquire(approval(), actor(MARA), "Which parcel?", NOW)
    answer = reply(question.record, actor(TOM), "The second", NOW)
    events = chain(None, [*question.events, *answer.events])
    assert [event.tag for event in events] == [Tag.INQUIRED, Tag.REPLIED]
    cards = [told(event, NAMES) for event in events]
    assert [each and each.text for each in cards] == [
        "Mara Okafor asks Tom Ferreira: Which parcel?",
        "Tom Ferreira answers Mara Okafor: The second",
    ]


def test_of_a_restricted_request_the_card_says_who_and_not_what() -> None:
    waits = asked(approval(request(sensitivity="restricted")), "Is it Mrs Ek?")
    assert "Ek" not in drawn(waits)
    assert "Waits for " in drawn(waits)
    answered = reply(waits, actor(TOM), "No, Mr Ek", after(5)).record
    assert "Ek" not in drawn(answered)


def test_what_is_asked_again_has_no_question_from_before() -> None:
    closed = asked().supersede(NOW).record
    again = closed.reopen(Asked(closed.request), closed.policy, after(1)).record
    assert again.inquiries == ()
    assert refuse_answer(again, member(JONAS)) == Why.NOT_ASKED
