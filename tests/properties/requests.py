"""Requests as an enemy would write them: too much, hidden, and made to look like something else."""

from datetime import timedelta, timezone
from functools import partial
from typing import Any

from hypothesis import strategies as st

from bot.approvals import Approval, Outcome
from tests.bot.samples import MARA, NOW, actor, approval
from workflows.fields import (
    CodeField,
    DateField,
    DiffField,
    MoneyField,
    RequestField,
    TextField,
    UrlField,
    UserField,
)
from workflows.preconditions import Precondition
from workflows.protocol import ApprovalRequest, Approve, Decision, Expired, Reject, Respond

ATTACKS = [
    "<!channel>", "<!here|x>", "@everyone", "@channel", "<@U0000MARA>", "<#C0APPROVAL>",
    "<!subteam^S00FINANCE>", "<@U666EVIL>", "<!subteam^S666EVIL>", "<!everyone>",
    "<https://evil.example|https://bank.example>", "<mailto:a@b.c|x>",
    "https://bank.example@evil.example/", "```", "`", "*bold*", "_i_", "~s~", "> quote", ">>>",
    "&lt;!channel&gt;", "&amp;", "&", "<", ">", "|", ":warning:", "\u202e\u2066", "\u200b",
    "\ufeff", "\u2800", "\u00ad", "\x00", "\x1b[31m", "\r", "\u2028", "\x85", "\ud800", "\udfff",
    "\U000e0041", "\U0001d173", "\U0001bca0", "\ufff9", "\u115f", "\u3164", "\ufe0f",
    "e\u0301" * 30, "\n" * 40, "شكرا", "שלום", "\U0001f468\u200d\U0001f469", "\ufdfd",
    "\u00a0", "\ue000", "\U0010ffff", "",
]  # fmt: skip
pieces = st.sampled_from(ATTACKS) | st.text(max_size=12)
short_text = st.lists(pieces, max_size=5).map("".join)


def _repeated(some: str, times: int) -> str:
    return (some * times)[:100_000]


def _one_line(most: int, value: str) -> str:
    """As the model of the request would leave it."""
    return value.strip()[:most].strip() or "x"


def _address(host: str, path: str) -> str:
    return "".join(f"https://{host}{path}".split())[:3000]


long_text = st.builds(
    _repeated,
    short_text.filter(bool),
    st.sampled_from([1, 10, 300, 1000, 50_000]),
)
text = short_text | long_text
labels = text.map(partial(_one_line, 75))
titles = text.map(partial(_one_line, 150))
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(timezones=zones)
urls = st.builds(
    _address,
    st.sampled_from(["shop.example/", "[", "[::1", "?x", "a@b/", "xn--e1afmkfd/", "а.example/"]),
    text,
)

fields: st.SearchStrategy[RequestField] = st.one_of(
    st.builds(TextField.model_construct, kind=st.just("text"), label=labels, value=text),
    st.builds(CodeField.model_construct, kind=st.just("code"), label=labels, value=text),
    st.builds(
        DiffField.model_construct,
        kind=st.just("diff"),
        label=labels,
        before=st.none() | text,
        after=st.none() | text,
    ),
    st.builds(UrlField.model_construct, kind=st.just("url"), label=labels, value=urls),
    st.builds(
        MoneyField,
        label=st.just("Amount"),
        amount_minor=st.integers() | st.just(10**60) | st.just(-(10**4000)),
        currency=st.sampled_from(["USD", "JPY", "KWD"]),
    ),
    st.builds(DateField, label=st.just("When"), value=moments | st.dates()),
    st.builds(UserField, label=st.just("Who"), value=st.sampled_from([MARA, "U0UNKNOWN"])),
)


def _times(each: list[RequestField], times: int) -> list[RequestField]:
    return each * times


many_fields = st.lists(fields, max_size=8) | st.builds(
    _times,
    st.lists(fields, min_size=1, max_size=3),
    st.sampled_from([9, 25, 200]),
)


def _resting(label: str, count: int) -> tuple[Precondition, ...]:
    made = (f"{number} {label}" for number in range(count))
    return tuple(Precondition.model_construct(name="version", label=each) for each in made)


def hostile(**fixed: Any) -> st.SearchStrategy[ApprovalRequest]:
    """Not validated, as a record from an older version would not be."""
    free: dict[str, Any] = {
        "title": titles,
        "summary": text,
        "fields": many_fields.map(tuple),
        "details": text,
        "preconditions": st.just(()) | st.builds(_resting, labels, st.integers(1, 20)),
        "risk": st.sampled_from(["low", "medium", "high"]),
        "allowed_decisions": st.just(("approve", "reject")),
    }
    return st.builds(ApprovalRequest.model_construct, **{**free, **fixed})


def _asking(request: ApprovalRequest, note: str, workflow: str) -> Approval:
    return approval().to(request=request, note=note, workflow=workflow)


asked = st.builds(
    _asking,
    hostile(),
    text,
    st.sampled_from(["refund", "crm_update"]),
)


@st.composite
def decided(draw: st.DrawFn) -> Approval:
    """A request that someone answered, and what came of it."""
    of = draw(asked)
    who = actor().model_copy(update={"name": draw(text)})
    said = draw(text)
    decisions: list[Decision] = [
        Approve(by=who, at=NOW, digest=of.digest),
        Reject.model_construct(type="reject", by=who, at=NOW, digest=of.digest, reason=said),
        Respond.model_construct(type="respond", by=who, at=NOW, digest=of.digest, text=said),
        Expired(by=actor(None), at=NOW, digest=of.digest),
    ]
    done: Approval = of.decide(draw(st.sampled_from(decisions[:1])), NOW).record
    chosen = draw(st.sampled_from(decisions))
    status = {"approve": "approved", "reject": "rejected", "respond": "answered"}
    done = done.to(status=status.get(chosen.type, "expired"), votes=(chosen,))
    outcome = Outcome.model_construct(
        state=draw(st.sampled_from(["done", "failed"])), text=draw(text), at=NOW
    )
    return done.to(outcome=draw(st.sampled_from([None, outcome])))
