"""What a refusal means, and what people are told to do about it."""

from datetime import timedelta

import pytest

from bot.channels import (
    ASK_AGAIN_AT_MOST,
    CHANNEL,
    THREAD,
    WORKSPACE,
    Hold,
    concerns,
    cure,
    trouble,
)
from bot.slack import NO_TOKEN
from bot.views.card import Card
from bot.views.standing import standing
from tests.bot.drawn import words
from tests.bot.samples import NOW, WHERE, after, approval


@pytest.mark.parametrize("code", sorted({*CHANNEL, *WORKSPACE}))
def test_every_refusal_that_holds_a_channel_has_a_cure(code: str) -> None:
    assert concerns(code) == ("channel" if code in CHANNEL else "workspace")
    assert cure(code)


@pytest.mark.parametrize("code", THREAD)
def test_a_refused_reply_concerns_its_card_and_has_a_cure(code: str) -> None:
    assert concerns(code) == "card"
    assert "kept up to date" in cure(code)


def test_what_is_not_known_concerns_the_card() -> None:
    assert [concerns(code) for code in ("invalid_blocks", "msg_too_long", "new_one")] == [
        "card"
    ] * 3
    assert {concerns(code) for code in NO_TOKEN} == {"workspace"}


def test_a_held_channel_is_asked_again_at_least_once_a_minute() -> None:
    hold, pauses = None, list[timedelta]()
    for _ in range(20):
        hold = Hold.after(hold, "is_archived", NOW)
        pauses.append(hold.retry_at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[-1] == ASK_AGAIN_AT_MOST
    assert Hold.after(hold, "http_503", NOW, 300).retry_at == after(300)


def test_a_hold_says_since_when() -> None:
    first = Hold.after(None, "is_archived", NOW)
    assert Hold.after(first, "is_archived", after(9)).since == NOW
    assert Hold.after(first, "not_in_channel", after(9)).since == after(9)


def test_only_what_is_not_in_slack_is_in_trouble() -> None:
    hold = Hold.after(None, "is_archived", NOW)
    assert trouble(approval(), None) is None
    assert trouble(approval(message=WHERE), hold) is None
    for of in (approval(), approval().undelivered("is_archived", NOW)):
        found = trouble(of, hold)
        assert found is not None
        assert found.words == f"is_archived: {cure('is_archived')}"
    refused = trouble(approval(message=WHERE).undelivered("error 12ab", NOW), None)
    assert refused is not None
    assert "12ab" in refused.words


def test_a_card_says_why_it_stands_where_it_stands() -> None:
    assert standing(approval()) == []
    blocks = standing(approval(deleted=1, astray="not_in_channel"))
    said = words(Card(text="", blocks=blocks))
    assert "Posted again" in said
    assert "Meant for <#C0APPROVAL>" in said
    assert "not_in_channel" in said
