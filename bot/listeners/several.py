"""Several decided together: the modal opened from a list, and each marked one through the guards
of a click on its card."""

import asyncio
import re
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.listeners.decisions import Click, take, why_not
from bot.listeners.finding import Reader, find
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import user_of, value_of, workspaces_of
from bot.listeners.recording import Outcome
from bot.listeners.submissions import Result, Submitted, submitted
from bot.policy import refuse_bulk, refuse_unsaid
from bot.query import Query, Turn
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.views.answers import NOT_SHOWN
from bot.views.card import ActionId, ButtonValue
from bot.views.modals import Carried
from bot.views.people import people_on
from bot.views.several import (
    AT_MOST,
    CALLBACK,
    DECISION,
    DECISIONS,
    NONE_NOW,
    PICK,
    REASON,
    Became,
    became_view,
    reason_wanted,
    several_view,
)

LOOKED_WITHIN = 1.0  # seconds; of Slack's three, the others are for deciding
LOOKED_THROUGH = 3 * AT_MOST  # of what waits for the reader in this workflow


def register(app: AsyncApp, services: Services) -> None:
    async def several(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(open_several(services, body))
        if answer:
            await answering.words(answer)

    async def decided(given: Submitted) -> Result:
        return await decide_each(services, given)

    button = re.compile(f"^{ActionId.SEVERAL}")
    app.action(button)(guarded(services.slack, several))
    app.view(CALLBACK)(submitted(services, decided, _about))


async def open_several(services: Services, body: dict[str, Any]) -> str | None:
    """Show those of the workflow that may be decided together; else the words that say why not."""
    user, workflow = user_of(body), value_of(body)
    try:
        member = await services.slack.member(user, *workspaces_of(body))
        query = Query(scope="mine", workflow=workflow)
        page = await find(Reader(services, member), Turn(query=query), LOOKED_THROUGH)
        fit = [each for each in page.items if refuse_bulk(each) is None][:AT_MOST]
        names = await services.slack.names([who for each in fit for who in people_on(each)])
        view = several_view(fit, names, Carried(opener=user, about=workflow))
        if view is None:
            return t(NONE_NOW)
        await services.slack.open_view(str(body.get("trigger_id") or ""), view)
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, "several together", NOT_SHOWN)
    return None


async def decide_each(services: Services, given: Submitted) -> Result:
    """All at once, so that Slack's three seconds are enough however slow one is."""
    picked = _picked(given)
    decision = _chosen(given)
    if not picked or decision not in DECISIONS:
        return Result(errors={f"{PICK}.0": t("Mark at least one of them.")})
    wants = await _unsaid(services, given, decision, [value for _, value in picked if value])
    if wants:
        return Result(errors={REASON: reason_wanted(decision, wants, len(picked))})
    taken = await asyncio.gather(*(_take(services, given, decision, v) for _, v in picked))
    became = [_became(title, outcome) for (title, _), outcome in zip(picked, taken, strict=True)]
    records = tuple(record for outcome in taken for record in outcome.records)
    return Result(view=became_view(decision, became), records=records)


async def _unsaid(
    services: Services, given: Submitted, decision: str, marked: list[ButtonValue]
) -> int:
    """How many of those that they may decide want a reason, where none is given."""
    if _reason(given):
        return 0
    by_id = {value.approval: value for value in marked}
    try:
        async with asyncio.timeout(LOOKED_WITHIN):
            found = await services.store.many(by_id)
            wanting = [each for each in found if refuse_unsaid(each, decision, "")]
            barred = [
                await why_not(services, each, _click(given, decision, by_id[each.id]))
                for each in wanting
            ]
    except (RedisError, SlackUnavailable, SlackRefused, TimeoutError):
        return 0  # the answer to each of them says so
    return barred.count(None)


async def _take(
    services: Services, given: Submitted, decision: str, value: ButtonValue | None
) -> Outcome:
    return await take(services, _click(given, decision, value))


def _click(given: Submitted, decision: str, value: ButtonValue | None) -> Click:
    said = {"reason": _reason(given)}
    teams, user = workspaces_of(given.body), user_of(given.body)
    return Click(teams, user, decision, value, said, together=True)


def _reason(given: Submitted) -> str:
    reason = (given.values.get(REASON) or {}).get(REASON) or {}
    return str(reason.get("value") or "").strip()


def _became(title: str, outcome: Outcome) -> Became:
    waits = any(getattr(record, "is_open", False) for record in outcome.records)
    return Became(title, outcome.answer, waits)


def _about(given: Submitted) -> list[str]:
    return [value.approval for _, value in _picked(given) if value]


def _picked(given: Submitted) -> list[tuple[str, ButtonValue | None]]:
    """Of each marked box: what it said, and the terms that stood above it."""
    options = [
        option
        for block, actions in given.values.items()
        if block.startswith(f"{PICK}.")
        for option in (actions.get(PICK) or {}).get("selected_options") or []
    ]
    return [(_named(o), ButtonValue.read(str(o.get("value")))) for o in options[:AT_MOST]]


def _named(option: dict[str, Any]) -> str:
    thread = (option.get("description") or {}).get("text") or ""
    return " · ".join(each for each in (option["text"]["text"], thread) if each)


def _chosen(given: Submitted) -> str:
    chosen = (given.values.get(DECISION) or {}).get(DECISION) or {}
    return str((chosen.get("selected_option") or {}).get("value") or "")
