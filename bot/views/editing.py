"""The form in which a reviewer changes what is asked, before it is approved so."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from bot.approvals import Approval
from bot.texts import later, t
from bot.views import rich
from bot.views.details import about
from bot.views.differences import changes
from bot.views.edits import difference
from bot.views.filled import read_form
from bot.views.forms import form_blocks, laid_out
from bot.views.individual import decides_each, label_of
from bot.views.modals import Carried, modal
from bot.views.text import Block
from bot.views.votes import when_carried_out
from bot.views.words import DECIDE, SAY_SOMETHING, Read, subject, warning, words_input, words_of
from workflows.protocol import Editable

HIGH_RISK = later(
    "High risk: look at the changes once more. What you approve is carried out {when}."
)
NOTHING_CHANGED = later(
    "Nothing is changed here. To approve it as it is, close this and click Approve."
)
WHY = later("It is shown with the changes.")


def edit_view(approval: Approval, opener: str) -> Block:
    """With the values as they are now: as asked, or as somebody proposed."""
    return _view(approval, opener, _present(approval), [], "edit")


def read_edit(approval: Approval, opener: str, checked: str, values: Mapping[str, Any]) -> Read:
    """checked: of the edit that was shown before this one, so that one of high risk is submitted
    twice. values: the state of the modal."""
    editable, now = _editable(approval), _present(approval)
    filled = read_form(editable.json_schema, now, values)
    reason = words_of(values, "reason")
    errors = dict(filled.errors)
    if "edit" in approval.policy.reason_required and not reason:
        errors["reason"] = t(SAY_SOMETHING)
    if not errors and not changes(now, filled.values, editable.json_schema):
        errors[laid_out(editable.json_schema, now).first or "reason"] = t(NOTHING_CHANGED)
    if errors:
        return Read(errors=errors)
    mark = _mark(approval, filled.values)
    if approval.request.risk == "high" and checked != mark:
        changed = changes(editable.values, filled.values, editable.json_schema)
        risk = t(HIGH_RISK, when=when_carried_out(approval, anew=True))
        shown = [warning(risk), rich.block(*difference(changed), block_id="difference")]
        return Read(view=_view(approval, opener, filled.values, shown, f"edit:{mark}", reason))
    return Read(said={"values": filled.values, "reason": reason})


def _view(
    approval: Approval,
    opener: str,
    values: Mapping[str, JsonValue],
    shown: list[Block],
    on: str,
    reason: str = "",
) -> Block:
    required = "edit" in approval.policy.reason_required
    blocks = [
        subject(approval),
        *shown,
        *form_blocks(_editable(approval).json_schema, dict(values)),
        words_input("reason", t("Why the change?"), t(WHY), reason, required=required),
        about(approval),
    ]
    title = t("Check the changes") if shown else label_of(approval, "edit", t("Edit"))
    submit = t("Record decisions") if decides_each(approval) else t("Approve changes")
    return modal(DECIDE, title, blocks, Carried.of(approval, opener, on), submit)


def _present(approval: Approval) -> dict[str, JsonValue]:
    proposal = approval.proposal
    return dict(proposal.values if proposal else _editable(approval).values)


def _editable(approval: Approval) -> Editable:
    if approval.request.editable is None:
        raise TypeError(f"{approval.id} has nothing to edit")
    return approval.request.editable


def _mark(approval: Approval, values: Mapping[str, JsonValue]) -> str:
    """Of the edit that was shown: no value can be read from it."""
    said = json.dumps([approval.terms, values], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
