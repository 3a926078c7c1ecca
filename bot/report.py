"""Records as an operator reads them in a terminal, and as a program reads them (JSON)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.approvals import Approval
from bot.channels import Trouble, trouble
from bot.store import Store
from bot.views.card import short
from bot.views.fields import full_text
from bot.views.text import clean, in_utc
from workflows.effects import EffectLedger
from workflows.protocol import ApprovalRequest


async def pending_rows(store: Store, limit: int) -> list[dict[str, Any]]:
    """What waits for a decision, oldest first; times in UTC, ISO 8601."""
    pending, _total = await store.pending(0, limit)
    return [_pending_row(approval, await _trouble(store, approval)) for approval in pending]


async def _trouble(store: Store, approval: Approval) -> Trouble | None:
    return trouble(approval, None if approval.message else await store.hold(approval.channel))


def _pending_row(approval: Approval, problem: Trouble | None) -> dict[str, Any]:
    return {
        "approval_id": approval.id,
        "thread_id": approval.thread_id,
        "workflow": approval.workflow,
        "title": approval.request.title,
        "risk": approval.request.risk,
        "requester": approval.requester,
        "requested_at": approval.requested_at.isoformat(),
        "expires_at": approval.expires_at.isoformat() if approval.expires_at else None,
        "digest": approval.digest,
        "message": approval.message.model_dump() if approval.message else None,
        "delivery_problem": problem.code if problem else None,
        "delivery_cure": problem.cure if problem else None,
    }


def pending_table(rows: list[dict[str, Any]], *, wide: bool) -> RenderableType:
    """Ids stay whole, so that they can be copied and searched for; wide: there is room for all."""
    if not rows:
        return "Nothing is waiting for a decision."
    table = Table(box=None, pad_edge=False)
    table.add_column("Thread", no_wrap=True)
    for column in ("Title", "Requested by", "Since", "Digest", "Slack"):
        table.add_column(column, overflow="fold")
    for column in ("Risk", "Workflow", "Decide by") if wide else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        problem = _problem(row["delivery_problem"], row["delivery_cure"])
        slack = problem or ("shown" if row["message"] else "on its way")
        more = (row["risk"], row["workflow"], _time(row["expires_at"])) if wide else ()
        table.add_row(
            row["thread_id"],
            Text(clean(row["title"], lines=False)),
            row["requester"] or "–",
            _time(row["requested_at"]),
            short(row["digest"]),
            slack,
            *more,
        )
    return table


def _time(stored: str | None) -> str:
    return in_utc(datetime.fromisoformat(stored)) if stored else "–"


async def of_thread(store: Store, effects: EffectLedger, thread_id: str) -> dict[str, Any] | None:
    """Everything about one run; None where there is none."""
    run = await store.run(thread_id)
    if run is None:
        return None
    approvals = await store.approvals_of(thread_id)
    problems = {approval.id: await _trouble(store, approval) for approval in approvals}
    return {
        "run": run.model_dump(mode="json"),
        "approvals": [approval.model_dump(mode="json") for approval in approvals],
        "undelivered": [
            {"approval_id": approval_id, "code": problem.code, "cure": problem.cure}
            for approval_id, problem in problems.items()
            if problem
        ],
        "decisions": [vote.model_dump(mode="json") for a in approvals for vote in a.votes],
        "effects": [entry.model_dump(mode="json") for entry in await effects.entries(thread_id)],
        "trail": [event.model_dump(mode="json") for event in await store.trail(thread_id)],
    }


def thread_text(found: dict[str, Any]) -> RenderableType:
    run = found["run"]
    head = Text(f"{run['thread_id']}: {run['workflow']} is {run['status']}", style="bold")
    started = f"  started {_time(run['created_at'])} by {run['requester'] or 'no one named'}"
    parts: list[RenderableType] = [head, Text(started)]
    if run["error"]:
        parts.append(Text(f"last error: {clean(run['error'])}", style="red"))
    problems = {each["approval_id"]: each for each in found["undelivered"]}
    for approval in found["approvals"]:
        parts.append(_approval_text(approval))
        if problem := problems.get(approval["id"]):
            words = _problem(problem["code"], problem["cure"])
            parts.append(Text(f"    not in Slack yet: {words}", style="red"))
    parts += [_effect_text(entry) for entry in found["effects"]]
    parts += [Text("\nAudit trail", style="bold"), _trail_table(found["trail"])]
    return Group(*parts)


def _problem(code: str | None, cure: str | None) -> str:
    return f"{code}: {cure}" if code and cure else code or ""


def _approval_text(approval: dict[str, Any]) -> Text:
    title = clean(approval["request"]["title"], lines=False)
    who = approval["votes"][-1]["by"] if approval["votes"] else None
    by = f" by {who['name'] or who['user']} ({who['user']})" if who and who["user"] else ""
    closed = f" at {_time(approval['closed_at'])}" if approval["closed_at"] else ""
    state = f"{approval['status']}{by}{closed}, digest {short(approval['digest'])}"
    lines = [f"\n  {title}: {state}", *_about(approval)]
    return Text("\n".join(lines))


def _about(approval: dict[str, Any]) -> Iterator[str]:
    """What was asked, of whom, until when, and where its card stands; a line each."""
    request = ApprovalRequest.model_validate(approval["request"])
    texts = [*map(full_text, request.fields), ("Summary", request.summary)]
    for label, value in [*texts, ("Details", request.details)]:
        if value:
            yield f"    {label}: " + clean(value).replace("\n", "\n      ")
    message = approval["message"] or {}
    reasons = [vote["reason"] for vote in approval["votes"] if vote.get("reason")]
    yield from (f"    Reason given: {clean(reason, lines=False)}" for reason in reasons)
    yield f"    Asked {_time(approval['requested_at'])}, decide by {_time(approval['expires_at'])}"
    yield f"    May be decided by {', '.join(approval['policy']['approvers'])}"
    where = message.get("channel", approval["channel"])
    yield f"    Card in {where}, message {message.get('ts', 'not there yet')}"


def _effect_text(entry: dict[str, Any]) -> Text:
    receipt = entry["receipt"] or {}
    result = f"{receipt.get('summary', '')} {receipt.get('id', '')}".strip() or entry["error"]
    return Text(f"  effect {entry['key']}: {entry['state']} {clean(result, lines=False)}")


def _trail_table(trail: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for event in trail:
        actor = event["actor"] or {}
        who = actor.get("name") or actor.get("user") or ""
        table.add_row(
            f"  #{event['seq']}",
            _time(event["at"]),
            event["tag"],
            Text(clean(str(who or event["detail"].get("instance", "")), lines=False)),
            short(event["hash"]),
        )
    return table
