"""Who someone is and what they may decide: Slack is asked for no more than the answer needs."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.absences import Absences, deputies
from bot.approvals import Approval
from bot.directory import CACHED_FOR
from bot.listeners.payloads import workspaces_of
from bot.policy import Member, People, Right, Why, authorize
from bot.services import Services

LOOK_UP = 1.2  # seconds for Slack to say who it is: leaves some of recording.DECIDE_WITHIN
UNSURE = (Why.NOT_AN_APPROVER, Why.NOT_THEIR_TURN)  # until groups and deputies are known


async def right_of(
    services: Services, approval: Approval, user: str, *teams: str, any_stage: bool = False
) -> tuple[Member, Right | Why]:
    """Who it is, and what they may decide now. Groups are asked for only where they matter: an
    approver by id decides also while Slack cannot tell who is in a group. TimeoutError where Slack
    takes too long for whoever waits."""
    async with asyncio.timeout(LOOK_UP):
        member = await member_of(services, user, *teams)
        right = authorize(approval, member, any_stage=any_stage)
        if right in UNSURE:
            people = await people_of(services, approval)
            right = authorize(approval, member, people, any_stage=any_stage)
    return member, right


async def member_of(services: Services, user: str, *teams: str) -> Member:
    """Who it is, asked anew where another instance heard that they changed: Slack tells one."""
    if await services.store.redis.exists(services.store.keys.changed(user)):
        services.slack.forget_member(user)
    return await services.slack.member(user, *teams)


async def changed(services: Services, user: str) -> None:
    """They were deactivated, or are a guest now; or anything else of theirs is new."""
    services.slack.forget_member(user)
    await services.store.redis.set(services.store.keys.changed(user), "1", ex=int(CACHED_FOR))


def is_ours(services: Services, body: dict[str, Any]) -> bool:
    """Of what decides no approval: does nothing say that it comes from another workspace?"""
    teams = workspaces_of(body)
    return not teams or not services.slack.own_ids.isdisjoint(teams)


async def people_of(services: Services, approval: Approval) -> People:
    """The members of the groups that its policy names, and who is away."""
    named = [each for stage in approval.stages for each in stage.approvers]
    absences = Absences(services.store.redis, services.store.keys)
    away = deputies(await absences.all(), services.now())
    people = People(await services.slack.groups(named), away)
    return replace(people, deputies=await _still_here(services, away, people.among(named)))


async def _still_here(
    services: Services, away: dict[str, str], approvers: Iterable[str]
) -> dict[str, str]:
    """Nobody takes the place of one who was deactivated meanwhile, or has become a guest."""
    here: dict[str, str] = {}
    line = list(approvers)
    while line:
        absent = line.pop()
        if absent not in away or absent in here:
            continue
        if (await services.slack.member(absent, services.slack.team)).full:
            here[absent] = away[absent]
            line.append(away[absent])
    return here
