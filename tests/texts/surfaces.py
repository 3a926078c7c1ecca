"""Every surface there is, of every sample: what people read on it, whatever it is made for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.approvals import Approval
from bot.audit import Tag
from bot.concerned import TO_REVIEWERS, TO_THE_REQUESTER
from bot.policy import Why, refuse_bulk
from bot.query import Place, Query
from bot.views import answers, away, help, starting  # noqa: A004 - our module of that name
from bot.views.card import Card, card
from bot.views.deciding import FORMS, decision_view
from bot.views.details import details_view, review_view
from bot.views.handing import reassign_view
from bot.views.home import Away, Home, guest_view, home_view
from bot.views.inquiry import answer_view, question_view
from bot.views.listing import Count, Page, Whereabouts, pending_list, thread_report
from bot.views.modals import Carried, told_view
from bot.views.notices import notice
from bot.views.several import Became, became_view, several_view
from bot.views.trail import NOT_TOLD, reply
from tests.bot.samples import MARA, NOW, TOM, after, run
from tests.texts.samples import (
    MORE,
    NAMES,
    OF_ANSWERS,
    OF_EFFECTS,
    THREAD_ID,
    approval,
    ended,
    event,
    pending,
    request,
)
from workflows.catalog import Workflow

LINK = "https://acme.slack.com/archives/C0APPROVAL/p1700000000000100"
READ = ("text", "submit", "close", "title", "label", "hint", "placeholder", "description", "deny")


def surfaces(workflow: Workflow) -> Iterator[tuple[str, Any]]:
    """The name of each, and the blocks, view, card or words."""
    for number, of in enumerate((*pending(), *ended())):
        for name, shown in _of_one(of):
            yield f"{name} of {of.status} {number}", shown
    yield from _lists()
    yield from _messages()
    yield from _answers()
    yield from _of_workflows(workflow)


def _of_one(of: Approval) -> Iterator[tuple[str, Any]]:
    yield "card", card(of, NAMES, LINK)
    yield "details", details_view(of, NAMES)
    yield "review", review_view(of, NAMES)
    for decision in (*FORMS, "edit"):
        yield decision, decision_view(of, decision, MARA)
    yield "report", thread_report(run(thread_id=THREAD_ID, workflow="W1"), [of], Whereabouts())
    if not of.is_open:
        return
    yield "question", question_view(of, MARA)
    yield "answer", answer_view(of, TOM)
    for missing in (1, 2):
        yield "reassign", reassign_view(of, MARA, whole=True, missing=missing)
    yield "reassign", reassign_view(of, MARA, whole=False, missing=1)
    yield "refusals", [answers.refusal(why, of, "approve") for why in Why]


def _lists() -> Iterator[tuple[str, Any]]:
    every = [each.to(id=f"ap_{n}") for n, each in enumerate(pending())]
    place = Place(at=1.0, id="ap_1")
    queries = (Query(), Query(scope="mine"), Query(scope="all"), Query(text="ACME"))
    where = Whereabouts({"ap_1": LINK}, {"ap_1": "NOTE", "ap_2": "NOTE"})
    late = NOW + timedelta(minutes=5)
    ids = frozenset(each.id for each in every[:4])
    lists = (([], 0, None), (every[:1], 1, place), (every[:5], 2000, None), ([], 3, place))
    for query in queries:
        for items, total, after_it in lists:
            for mine, among in ((0, None), (1, 500), (2000, None)):
                count = Count(min(total, mine + 1) if items else 0, mine, among)
                page = Page(items, query, total, count, ids, place, after_it, unsure=total == 1)
                yield "list", pending_list(page, where, late + timedelta(hours=total))
                home = Home(page, [], where)
                yield "home", home_view(home, late)
    home = Home(Page(every, Query(), 50, Count(9, 9), ids), list(ended())[:8], where, None, NAMES)
    yield "home", home_view(home, after(7200))
    for gone in (Away(None, None), Away(TOM, NOW)):
        home = Home(Page([], Query(), 0, Count(0, 0)), [], where, gone)
        yield "home", home_view(home, NOW + timedelta(days=3))
    yield "home of a guest", guest_view()
    low = [each for each in every if refuse_bulk(each) is None]
    yield "several", several_view(low, NAMES, Carried(opener=MARA))
    became = [Became("TITLE", ""), Became("TITLE", "", pending=True), Became("TITLE", "WORDS")]
    yield from (("became", became_view(each, became)) for each in ("approve", "reject"))
    statuses = ("queued", "running", "waiting", "blocked", "finished", "failed", "cancelled")
    hides = approval(request(sensitivity="restricted"))
    for status in statuses:
        of = run(thread_id=THREAD_ID, workflow="W1", status=status, error="E42", requester=None)
        yield "report", thread_report(of, [approval()] * 20, where)
        yield "report", thread_report(of, [hides], where)


def _messages() -> Iterator[tuple[str, Any]]:
    for of in (approval(), *(each for each in ended() if each.outcome), approval(_hidden())):
        for tag in sorted({*TO_REVIEWERS, *TO_THE_REQUESTER}):
            for more in MORE[:3]:
                yield f"notice {tag}", notice(of, event(tag, **more), NAMES, LINK)
    for tag in sorted(set(Tag) - NOT_TOLD):
        own = {"effect": OF_EFFECTS, "approval": OF_ANSWERS if tag == Tag.ANSWERED else ()}
        for more in (*MORE, *own.get(tag.partition(":")[0], ())):
            for hides in (False, True):
                shown = reply(event(tag, **more), NAMES, restricted=hides)
                yield f"reply {tag} {more}", shown
    for links in ([LINK], [""]):
        yield "deputised", away.deputised(MARA, NOW, [approval()], links, NAMES)
        yield "deputised", away.deputised(MARA, None, [approval()] * 3, links, {})
    yield "deputised", away.deputised(MARA, NOW, [], [], NAMES)


def _hidden() -> Any:
    return request(sensitivity="restricted", title="TITLE 2")


def _answers() -> Iterator[tuple[str, Any]]:
    for why in Why:
        for decision in ("approve", "edit", "reject", "respond", "done", "retry", "escalate"):
            yield f"refusal {why}", answers.refusal(why, None, decision)
    for of in ended():
        yield "refusal", [answers.refusal(why, of, "approve") for why in Why]
    nobody = approval().to(requester=None)
    yield "refusal", [answers.refusal(why, nobody, "approve") for why in Why]
    yield "told", told_view("WORDS")
    yield "away", away.away_card(TOM, NOW)
    yield "away", away.away_card(None, None, "MORE")
    yield "back", away.back_card(was_away=True)
    yield "back", away.back_card(was_away=False)
    yield "refused", away.refused_card("PROBLEM")
    yield "problem", help.problem_card("", "")
    yield "approvers", answers.approvers([f"U{n}" for n in range(30)])
    yield "approvers", answers.approvers([])


def _of_workflows(workflow: Workflow) -> Iterator[tuple[str, Any]]:
    yield "help", help.help_card([workflow] * 30)
    yield "help", help.help_card([], "PROBLEM")
    yield "pick", starting.pick_view([workflow] * 120, MARA)
    yield "pick", starting.pick_view([], MARA)
    yield "form", starting.form_view(workflow, MARA)
    yield "started", starting.started_words("W1", THREAD_ID, "C0APPROVAL")
    yield "whether", [starting.whether_started(each) for each in (THREAD_ID, None)]


def read_on(shown: Any) -> Iterator[str]:
    """All that can be read on it."""
    if isinstance(shown, Card):
        yield from (shown.text, *read_on(shown.blocks))
    elif isinstance(shown, str):
        yield shown
    elif isinstance(shown, list):
        yield from (text for each in shown for text in read_on(each))
    elif isinstance(shown, dict):
        yield from _read_in(shown)


def _read_in(shown: dict[str, Any]) -> Iterator[str]:
    if shown.get("type") == "date":
        yield shown["format"]
        return
    leaves = shown.get("elements", []) if shown.get("type") == "rich_text_section" else []
    if leaves:  # as one: a sentence of ours may have people in it
        yield "".join(_leaf(each) for each in leaves)
        return
    for key, value in shown.items():
        if isinstance(value, str) and key in READ:
            yield value
        elif not isinstance(value, str):
            yield from read_on(value)


def _leaf(leaf: dict[str, Any]) -> str:
    by_type = {"text": "text", "link": "text", "date": "format"}
    return str(leaf.get(by_type.get(leaf["type"], ""), "")) or f"<@{leaf['type']}>"
