"""What is left when everything has settled, and each thing that must not be, counted."""

import re
from collections import Counter
from dataclasses import dataclass

from bot.approvals import Approval
from bot.audit import AuditEvent
from bot.local.detectors import violations
from bot.local.person import Seen
from bot.runs import Run
from bot.store import Store
from bot.views.trail import reply
from tests.faults.soak.cluster import Cluster
from tests.faults.soak.reviewers import Click, Reviewers, title_of

KINDS = (
    "wrong final states",
    "lost decisions",
    "doubled effects",
    "both branches run",
    "doubled or missing cards",
    "doubled, missing or unordered replies",
    "clicks without an answer",
    "broken records",
)
SHADOW = 10.0  # seconds around a trouble in which a process may have died before it answered


@dataclass(frozen=True)
class Thread:
    """One thread as it ended. cards: the messages that show it; told: the replies below."""

    run: Run
    approvals: list[Approval]
    trail: list[AuditEvent]
    refunds: int
    cards: list[Seen]
    told: list[str]
    clicks: list[Click]


def settled(run: Run, approvals: list[Approval]) -> bool:
    """Nothing is owed any more."""
    shown = all((a.shown, a.replied) == (a.revision, a.trail) for a in approvals)
    return run.closed and bool(approvals) and shown


def judge(thread: Thread) -> Counter[str]:
    """How often each thing happened that must not."""
    (approval,) = thread.approvals or (None,)
    if approval is None:
        return Counter({"wrong final states": 1})
    approved = approval.status == "approved"
    resumed = [event for event in thread.trail if event.tag == "run:resumed"]
    found = {
        "wrong final states": thread.run.status != "finished" or approval.outcome is None,
        "lost decisions": _lost(approval, thread.clicks),
        "doubled effects": thread.refunds > 1,
        "both branches run": len(resumed) != 1 or thread.refunds != (1 if approved else 0),
        "doubled or missing cards": len(thread.cards) != 1,
        "doubled, missing or unordered replies": thread.told != _story(thread.trail, approval),
    }
    return Counter({kind: int(is_so) for kind, is_so in found.items()})


def _lost(approval: Approval, clicks: list[Click]) -> bool:
    """Was a click acknowledged as the decision, and is it not the decision?"""
    taken = [click for click in clicks if click.answer.uses == 0]
    decision = approval.decision
    if decision is None or not taken:
        return decision is None
    return all((c.user, c.decision) != (decision.by.user, decision.type) for c in taken)


def _story(trail: list[AuditEvent], approval: Approval) -> list[str]:
    """What the thread has to tell: each event of the trail that is told there, in order."""
    events = [event for event in trail if event.approval_id == approval.id]
    drawn = [reply(event, {}) for event in events]
    return [number(card.blocks[-1]["elements"][0]["text"]) for card in drawn if card]


def number(proof: str) -> str:
    """`Audit #3 · ...` -> `#3`, by which an event of the thread is known."""
    found = re.search(r"#\d+", proof)
    return found.group() if found else proof


async def threads(cluster: Cluster, store: Store, reviewers: Reviewers) -> list[Thread]:
    mara = cluster.slack.person("mara")
    cards: dict[str, list[Seen]] = {}
    for card in mara.sees():
        cards.setdefault(title_of(card) or "", []).append(card)
    paid = Counter(key for key, *_ in await cluster.deployment.payments.refunds())
    found: list[Thread] = []
    for run in await store.recent_runs(100_000):
        approvals = await store.approvals_of(run.thread_id)
        title = approvals[0].request.title if approvals else "?"
        shown = cards.get(title, [])
        told = [each for card in shown[:1] for each in mara.replies(card)]
        found.append(
            Thread(
                run,
                approvals,
                await store.trail(run.thread_id),
                paid[f"refund:{run.thread_id}"],
                shown,
                [number(each.blocks[-1]["elements"][0]["text"]) for each in told],
                [click for click in reviewers.clicks if click.title == title],
            )
        )
    return found


async def count(
    cluster: Cluster, store: Store, reviewers: Reviewers, troubles: list[float]
) -> tuple[Counter[str], list[str]]:
    """The sums, and each thread that has one, in words."""
    sums, words = Counter[str](), list[str]()
    for thread in await threads(cluster, store, reviewers):
        wrong = judge(thread)
        wrong["clicks without an answer"] = sum(
            _unanswered(thread, click, troubles) for click in thread.clicks
        )
        sums += wrong
        words += [f"{thread.run.thread_id}: {kind}" for kind, many in wrong.items() if many]
    broken = await violations(store)
    sums["broken records"] = len(broken)
    return sums, [*words, *broken]


def _unanswered(thread: Thread, click: Click, troubles: list[float]) -> bool:
    """Neither was it the decision, nor was the person told why not. Where a process died or
    Redis went away at that moment, the card is the answer."""
    decision = thread.approvals[0].decision if thread.approvals else None
    is_it = decision and (decision.by.user, decision.type) == (click.user, click.decision)
    if is_it or click.answer.uses:
        return False
    return not any(abs(at - click.at) < SHADOW for at in troubles)
