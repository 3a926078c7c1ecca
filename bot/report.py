"""Records as an operator reads them in a terminal, and as a program reads them (JSON)."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.approvals import Approval
from bot.store import Store
from bot.views.card import short
from bot.views.text import clean
from workflows.effects import EffectLedger


def pending_row(approval: Approval) -> dict[str, Any]:
    """One line of the list; times in UTC, ISO 8601."""
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
        "delivery_problem": approval.delivery.code if approval.delivery else None,
    }


def pending_table(rows: list[dict[str, Any]]) -> RenderableType:
    if not rows:
        return "Nothing is waiting for a decision."
    table = Table(box=None, pad_edge=False)
    for column in ("Thread", "Title", "Requested by", "Since", "Digest", "Slack"):
        table.add_column(column, overflow="fold")
    for row in rows:
        slack = row["delivery_problem"] or ("shown" if row["message"] else "on its way")
        table.add_row(
            row["thread_id"],
            Text(clean(row["title"], lines=False)),
            row["requester"] or "–",
            row["requested_at"][:16].replace("T", " "),
            short(row["digest"]),
            slack,
        )
    return table


async def of_thread(store: Store, effects: EffectLedger, thread_id: str) -> dict[str, Any] | None:
    """Everything about one run; None where there is none."""
    run = await store.run(thread_id)
    if run is None:
        return None
    approvals = await store.approvals_of(thread_id)
    return {
        "run": run.model_dump(mode="json"),
        "approvals": [approval.model_dump(mode="json") for approval in approvals],
        "decisions": [vote.model_dump(mode="json") for a in approvals for vote in a.votes],
        "effects": [entry.model_dump(mode="json") for entry in await effects.entries(thread_id)],
        "trail": [event.model_dump(mode="json") for event in await store.trail(thread_id)],
    }


def thread_text(found: dict[str, Any]) -> RenderableType:
    run = found["run"]
    head = Text(f"{run['thread_id']}: {run['workflow']} is {run['status']}", style="bold")
    parts: list[RenderableType] = [head]
    if run["error"]:
        parts.append(Text(f"last error: {run['error']}", style="red"))
    parts += [_approval_text(approval) for approval in found["approvals"]]
    parts += [_effect_text(entry) for entry in found["effects"]]
    parts += [Text("\nAudit trail", style="bold"), _trail_table(found["trail"])]
    return Group(*parts)


def _approval_text(approval: dict[str, Any]) -> Text:
    title = clean(approval["request"]["title"], lines=False)
    who = approval["votes"][-1]["by"] if approval["votes"] else None
    by = f" by {who['name'] or who['user']} ({who['user']})" if who and who["user"] else ""
    closed = f" at {approval['closed_at']}" if approval["closed_at"] else ""
    return Text(f"  {title}: {approval['status']}{by}{closed}, digest {short(approval['digest'])}")


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
            event["at"][:19],
            event["tag"],
            Text(clean(who)),
            short(event["hash"]),
        )
    return table
