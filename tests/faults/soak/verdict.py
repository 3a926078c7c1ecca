"""What is left when everything has settled, and each thing that must not be, counted."""

import re
from collections import Counter
from dataclasses import dataclass

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.local.detectors import violations
from bot.local.person import Seen
from bot.local.records import Json
from bot.runs import Run
from bot.store import Store
from bot.views.trail import reply
from tests.faults.soak.cluster import Cluster
from tests.faults.soak.process import key_of
from tests.faults.soak.provider import Provider
from tests.faults.soak.reviewers import RETRY, Click, Reviewers, title_of
from workflows.protocol import Respond

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
    """One thread as it ended. approvals: what the graph asked, then what was asked of effects in
    doubt. effects: how often it was paid, or sent. cards: the messages that show it; told: the
    replies below, by approval."""

    run: Run
    approvals: list[Approval]
    trail: list[AuditEvent]
    effects: int
    cards: list[Seen]
    told: dict[str, list[str]]
    clicks: list[Click]


def settled(run: Run, approvals: list[Approval]) -> bool:
    """Nothing is owed any more, and nothing waits for anybody."""
    shown = all((a.shown, a.replied) == (a.revision, a.trail) for a in approvals)
    return run.status == "finished" and bool(approvals) and shown


def judge(thread: Thread) -> Counter[str]:
    """How often each thing happened that must not."""
    asked = [approval for approval in thread.approvals if not approval.doubt]
    if len(asked) != 1:
        return Counter({"wrong final states": 1})
    approved = asked[0].status == "approved"
    resumed = [event for event in thread.trail if event.tag == Tag.RUN_RESUMED]
    answered = [a for a in thread.approvals if not a.doubt or a.status != "superseded"]
    stand = sorted(card.ts for card in thread.cards)
    found = {
        "wrong final states": thread.run.status != "finished"
        or any(approval.outcome is None for approval in answered),
        "lost decisions": any(_lost(approval, thread) for approval in answered),
        "doubled effects": thread.effects > 1,
        "both branches run": len(resumed) != 1 or thread.effects != (1 if approved else 0),
        "doubled or missing cards": stand
        != sorted(a.message.ts if a.message else "" for a in thread.approvals),
        "doubled, missing or unordered replies": any(
            thread.told.get(a.id, []) != _story(thread.trail, a) for a in thread.approvals
        ),
    }
    return Counter({kind: int(is_so) for kind, is_so in found.items()})


def _lost(approval: Approval, thread: Thread) -> bool:
    """Was a click acknowledged as the decision (or as the retry), and is it not?"""
    own = [click for click in thread.clicks if click.approval == approval.id]
    taken = [click for click in own if click.answer.uses == 0]
    retries = [click for click in taken if click.decision == RETRY]
    decisions = [click for click in taken if click.decision != RETRY]
    if retries and not _retriers(thread):
        return True
    if approval.decision is None or not decisions:
        return approval.decision is None
    return all((c.user, c.decision) != _decided(approval) for c in decisions)


def _decided(approval: Approval) -> tuple[str | None, str] | None:
    """By whom, and what: of an effect in doubt, what they said."""
    decision = approval.decision
    if decision is None:
        return None
    return decision.by.user, decision.text if isinstance(decision, Respond) else decision.type


def _retriers(thread: Thread) -> set[str | None]:
    retried = [event for event in thread.trail if event.tag == Tag.RUN_RETRIED]
    return {event.actor.user for event in retried if event.actor}


def _story(trail: list[AuditEvent], approval: Approval) -> list[str]:
    """What the thread has to tell: each event of the trail that is told there, in order."""
    events = [event for event in trail if event.approval_id == approval.id]
    drawn = [reply(event, {}) for event in events]
    return [_number(card.blocks) for card in drawn if card]


def number(reply: Seen) -> str:
    """`Audit #3 · ...` -> `#3`, by which an event of the thread is known."""
    return _number(reply.blocks)


def _number(blocks: list[Json]) -> str:
    proof: str = blocks[-1]["elements"][0]["text"]
    found = re.search(r"#\d+", proof)
    return found.group() if found else proof


async def threads(
    cluster: Cluster, store: Store, reviewers: Reviewers, provider: Provider
) -> list[Thread]:
    mara = cluster.slack.person("mara")
    cards: dict[str, list[Seen]] = {}
    for card in mara.sees():
        cards.setdefault(title_of(card) or "", []).append(card)
    done = Counter(key for key, *_ in await cluster.deployment.payments.refunds())
    done += provider.sent()
    found: list[Thread] = []
    for run in await store.recent_runs(100_000):
        approvals = await store.approvals_of(run.thread_id)
        ids = {approval.id for approval in approvals}
        titles = {approval.request.title for approval in approvals}
        shown = [card for title in titles for card in cards.get(title, [])]
        told = {card.ts: [number(each) for each in mara.replies(card)] for card in shown}
        found.append(
            Thread(
                run,
                approvals,
                await store.trail(run.thread_id),
                done[f"refund:{run.thread_id}"] + done[key_of(run.thread_id)],
                shown,
                {a.id: told.get(a.message.ts, []) for a in approvals if a.message},
                [click for click in reviewers.clicks if click.approval in ids],
            )
        )
    return found


async def count(
    cluster: Cluster,
    store: Store,
    reviewers: Reviewers,
    provider: Provider,
    troubles: list[float],
) -> tuple[Counter[str], list[str]]:
    """The sums, and each thread that has one, in words."""
    sums, words = Counter[str](), list[str]()
    for thread in await threads(cluster, store, reviewers, provider):
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
    if click.answer.uses:
        return False
    (approval,) = [each for each in thread.approvals if each.id == click.approval]
    meant = (click.user, click.decision)
    if click.user in _retriers(thread) if click.decision == RETRY else meant == _decided(approval):
        return False
    return not any(abs(at - click.at) < SHADOW for at in troubles)
