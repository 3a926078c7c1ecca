"""docs/policies.md says what is so: its policies are read, and what people do under them played."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, JsonValue

from bot.app import policies
from bot.approvals import Approval, Closed, NoVote
from bot.escalation import escalate
from bot.handing import Handing, NotHanded, hand, may_hand
from bot.policy import (
    People,
    Right,
    Why,
    authorize,
    refuse_bulk,
    refuse_closed,
    refuse_unsaid,
    refuse_voted,
)
from bot.raised import raises
from bot.reminders import Known, remind
from bot.settings import BadSettings
from tests.asking import Asking
from tests.bot.samples import NOW, actor, approval, member, request
from workflows.fields import MoneyField, RequestField, UserField
from workflows.hints import money
from workflows.money import to_minor
from workflows.policy import Policy, Stage, Tier
from workflows.protocol import DECISION, ApprovalRequest, Editable

DOCS = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n```\n(.*?)```", DOCS, re.DOTALL)
IDS = {
    "mara": "U0000MARA",
    "jonas": "U000JONAS",
    "tom": "U00000TOM",
    "lena": "U0000LENA",
    "head": "U0000HEAD",
}
GROUPS = {
    "S00FINANCE": frozenset({IDS["mara"], IDS["jonas"]}),
    "C0000LEGAL": frozenset({IDS["lena"], IDS["tom"]}),
}
WORDS = {"Policy": Policy, "Stage": Stage, "Tier": Tier, "timedelta": timedelta}


class Terms(BaseModel):
    """What may be edited of a request with an amount."""

    amount: Annotated[int, money("USD")]


@dataclass
class Played:
    """One request under the policy. Nothing was done yet while `of` is None."""

    policy: Policy
    asked: dict[str, Any] = field(default_factory=lambda: {"risk": "low"})
    fields: list[RequestField] = field(default_factory=list[RequestField])
    requester: str | None = None
    away: dict[str, str] = field(default_factory=dict[str, str])
    of: Approval | None = None

    def set_up(self, line: str) -> bool:
        match line.split():
            case ["the", "amount", "is", amount, currency]:
                minor = to_minor(Decimal(amount), currency)
                shown = MoneyField(label="Amount", amount_minor=minor, currency=currency)
                self.fields.append(shown)
                self.asked["editable"] = Editable.of(Terms(amount=minor))
                self.asked["allowed_decisions"] = ("approve", "edit", "reject")
            case ["the", "payee", "is", who]:
                self.fields.append(UserField(label="Payee", value=IDS[who]))
            case ["the", "risk", "is", risk]:
                self.asked["risk"] = risk
            case ["reminders", "begin", "after", hours, "hours"]:
                self.asked["remind_after"] = timedelta(hours=int(hours))
            case [who, "asked", "for", "it"]:
                self.requester = IDS[who]
            case [who, "is", "away", "for", deputy]:
                self.away[IDS[who]] = IDS[deputy]
            case _:
                return False
        return True

    def does(self, line: str) -> str:
        """What comes of `mara approves`, in the words of the docs."""
        who, what, *rest = line.split()
        of = self.of or approval(
            request(fields=self.fields, **self.asked),
            policy=self.policy.for_request(self.fields),
            requester=self.requester,
        )
        people = People(GROUPS, self.away)
        if who == "after":
            self.of, said = _waits(of, people, timedelta(hours=int(what)))
            return said
        done = self._done(of, IDS[who], what, rest)
        if isinstance(done, str):
            return done
        self.of = done
        return done.status

    def _done(self, of: Approval, who: str, what: str, rest: list[str]) -> Approval | str:
        people = People(GROUPS, self.away)
        try:
            if what == "withdraws":
                return of.withdraw(who, NOW).record
            if what == "hands":
                to = [IDS[each] for each in rest if each in IDS]
                return _handed(of, who, people, to)
        except (Closed, NoVote, NotHanded):
            return "refused"
        right = refuse_closed(of, NOW) or authorize(of, member(who), people)
        made = _made(what, rest)
        why = refuse_voted(of, who, made["type"]) or right
        if not isinstance(why, Right):
            return f"refused: {why}"
        barred = _barred(of, made, together="together" in rest)
        if barred:
            return f"refused: {barred}"
        who_and_when: dict[str, Any] = {"by": actor(who), "at": NOW, "digest": of.digest}
        seat = {"stage": why.stage, "on_behalf_of": why.on_behalf_of}
        return of.decide(DECISION.validate_python({**made, **who_and_when, **seat}), NOW).record


def _made(what: str, rest: list[str]) -> dict[str, Any]:
    """`rejects saying why`, `edits it to 900`: what a decision is made of."""
    if what == "edits":
        return {"type": "edit", "values": {"amount": to_minor(Decimal(rest[-1]), "USD")}}
    said = {"reason": "why"} if rest[:1] == ["saying"] else {}
    return {"type": {"approves": "approve", "rejects": "reject"}[what], **said}


def _barred(of: Approval, made: dict[str, Any], *, together: bool) -> Why | None:
    if "values" in made and raises(of, made["values"]):
        return Why.RAISED
    unsaid = refuse_unsaid(of, made["type"], made.get("reason", ""))
    return unsaid or (refuse_bulk(of) if together else None)


def _waits(of: Approval, people: People, so_long: timedelta) -> tuple[Approval, str]:
    """What happens by itself by then: on a working day, at working hours."""
    now = NOW + so_long
    known = Known(people, members={user: member(user) for user in IDS.values()})
    if not of.remind_next:
        due = of.escalate_next is not None and of.escalate_next <= now
        return (escalate(of, known, now).record, "escalated") if due else (of, "not escalated")
    change = remind(of, known, now)
    told = [user for event in change.events for user in _listed(event.detail["users"])]
    names = [name for name, user in IDS.items() if user in told]
    return change.record, f"reminded {' and '.join(names) or 'nobody'}"


def _listed(users: JsonValue) -> list[JsonValue]:
    return users if isinstance(users, list) else []


def _handed(of: Approval, who: str, people: People, to: list[str]) -> Approval | str:
    handing = may_hand(of, member(who), people)
    if not isinstance(handing, Handing):
        return f"refused: {handing}"
    return hand(of, handing, actor(who), [member(each) for each in to], people, "", NOW).record


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == DOCS.count("```python") >= 12


@pytest.mark.parametrize(("code", "story"), EXAMPLES)
def test_each_example_is_so(code: str, story: str) -> None:
    policy: Policy = eval(code, dict(WORDS))  # noqa: S307 - our own docs
    if story.startswith("at start: "):
        with pytest.raises(BadSettings) as refused:
            policies(Asking(ApprovalRequest(title="a")), policy)
        expected = story.removeprefix("at start: ").strip()
        assert str(refused.value).endswith(f"- The policy of the workflow ask {expected}")
        return
    policies(Asking(ApprovalRequest(title="a")), policy)
    for part in story.strip().split("\n\n"):
        played = Played(policy)
        for line in part.splitlines():
            if not played.set_up(line):
                done, _, expected = line.partition(" → ")
                assert played.does(done) == expected, line


def test_every_field_of_a_policy_stands_in_the_table() -> None:
    rows = [row.split("|")[1] for row in DOCS.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(
        Policy.model_fields
    )


def test_every_refusal_that_is_named_is_one() -> None:
    named = set(re.findall(r"refused: (\w+)", DOCS))
    assert named <= {why.value for why in Why}
