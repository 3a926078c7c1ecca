"""An effect in doubt: what a person is asked about it, and what the answer means for the ledger."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from bot.approvals import Approval, Doubt
from bot.records import Change
from bot.runs import Run
from bot.texts import later
from workflows.effects import EffectEntry, Receipt
from workflows.fields import CodeField, DateField
from workflows.payloads import Asked
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest
from workflows.runner import Question

TITLE_AT_MOST = 150
# What is asked is digested, so it stays English; so does what the ledger keeps.
SUMMARY = (
    "Its call was begun, and nobody knows whether it arrived: the process ended, or the answer "
    "was lost. The workflow cannot ask the provider, so look there, by the key, and say what is "
    "so. Nothing goes on before that."
)
SAYS = {  # stored, and said by views/stored.py
    "done": later("Noted as done: it is not called again"),
    "not_done": later("Noted as not done: nothing was executed"),
    "retry": later("It is called again, with the same key"),
}
MOVED_ON = later("It was cleared up before this answer")


def in_doubt(entries: Iterable[EffectEntry]) -> dict[str, EffectEntry]:
    """The effects that a person has to be asked about, each by the id of its approval: the same
    for the same call, in whichever process."""
    return {_id(entry): entry for entry in entries if entry.state == "in_doubt"}


def ask(
    run: Run, entry: EffectEntry, on: Approval | None, policy: Policy, channel: str, now: datetime
) -> Change:
    """The record that asks. on: the approval that the effect rests on; who may decide that, may
    decide this. policy, channel: where there is none."""
    asks = Question(_id(entry), "", None, "", "", "", answered=False)
    opened = Approval.open(
        run,
        asks,
        asked(entry, on),
        policy=on.policy if on else policy,
        channel=on.channel if on else channel,
        now=now,
    )
    doubt = Doubt(key=entry.key, attempt=entry.attempt)
    events = tuple(event.model_copy(update={"actor": None}) for event in opened.events)
    return Change(opened.record.to(doubt=doubt), events)  # nobody but the ledger asks this


def asked(entry: EffectEntry, on: Approval | None) -> Asked:
    """The same for the same doubt, whenever it is asked."""
    about = on.request.title if on else entry.key
    fields = (
        CodeField(label="Key at the provider", value=entry.key),
        DateField(label="Begun", value=entry.at),
        *(on.request.fields if on else ()),
        *_changed(on),
    )
    request = ApprovalRequest(
        title=f"It may have happened: {about}"[:TITLE_AT_MOST],
        summary=SUMMARY,
        fields=fields,
        risk=on.request.risk if on else "high",
        sensitivity=on.request.sensitivity if on else "normal",
        allowed_decisions=("respond",),
    )
    return Asked(request)


def _changed(on: Approval | None) -> tuple[CodeField, ...]:
    """What to look for at the provider is what the reviewer made of it."""
    edit = on.proposal if on and on.status == "edited" else None
    if edit is None:
        return ()
    values = json.dumps(edit.values, indent=1, ensure_ascii=False)
    return (CodeField(label="Changed before it was approved", value=values),)


def answered(
    approval: Approval, entry: EffectEntry | None, now: datetime
) -> tuple[EffectEntry | None, str]:
    """The entry as the answer leaves it, and what the card says. None: there is nothing to
    write, since it was settled already, or it is another call's by now."""
    doubt, decision = approval.doubt, approval.decision
    if doubt is None or decision is None or decision.type != "respond":
        raise ValueError(f"{approval.id} is no doubt that was answered")
    if entry is None or entry.attempt != doubt.attempt:
        return None, MOVED_ON
    said = SAYS[decision.text]
    if entry.state != "in_doubt":
        return None, said
    by = decision.by
    who = by.name or by.user or "a reviewer"
    changes: dict[str, dict[str, object]] = {
        "done": {
            "state": "done",
            "receipt": Receipt(
                id="receipt unknown",
                summary=f"{who} says that it happened",
                data={"confirmed_by": by.user, "approval_id": approval.id},
            ),
        },
        "not_done": {"state": "not_done", "error": f"{who} says that {entry.key} did not happen"},
        "retry": {"state": "again"},
    }
    return entry.model_copy(update={**changes[decision.text], "at": now}), said


def _id(entry: EffectEntry) -> str:
    parts = ("effect", entry.thread_id, entry.key, entry.attempt)
    return f"ap_{hashlib.blake2b(chr(0).join(parts).encode(), digest_size=12).hexdigest()}"
