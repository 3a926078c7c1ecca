"""A click on a card: who may, does the button still hold, record, and only then acknowledge."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.approvals import Approval
from bot.listeners.guard import guarded, tell
from bot.policy import Member, Why, authorize, refuse_stale
from bot.services import Services
from bot.slack import SlackRefused, SlackUnavailable
from bot.store import Conflict
from bot.views.answers import NOT_RECORDED, refusal
from bot.views.card import DECIDES, ActionId, ButtonValue
from workflows.protocol import Actor, Approve, Decision, Reject


@dataclass(frozen=True)
class Click:
    """team: the workspace that the clicker belongs to. value: None where it is none of ours."""

    team: str
    user: str
    decision: str
    value: ButtonValue | None

    @classmethod
    def read(cls, body: dict[str, Any]) -> "Click":
        """From a block_actions payload. Who clicked is told by ids; names can be chosen."""
        action = body["actions"][0]
        return cls(
            team=workspace_of(body),
            user=body["user"]["id"],
            decision=DECIDES[ActionId(action["action_id"])],
            value=ButtonValue.read(action.get("value") or ""),
        )


def register(app: AsyncApp, services: Services) -> None:
    @guarded
    async def decide(body: dict[str, Any], ack: AsyncAck, respond: AsyncRespond) -> None:
        click = Click.read(body)
        try:
            answer = await take(services, click)
        except (SlackUnavailable, SlackRefused):
            answer = NOT_RECORDED
        await ack()
        if answer:
            await tell(respond, answer, replace_original=False)

    for action in DECIDES:
        app.action(action)(decide)


async def take(services: Services, click: Click) -> str | None:
    """Record the click's decision; else the words that say why not."""
    while True:
        approval = await _asked(services, click)
        if approval is None or click.value is None:
            return refusal(Why.UNKNOWN, None, click.decision)
        member = await services.slack.member(click.user, click.team)
        why = await _refused(services, approval, member, click, click.value.digest)
        if why is not None:
            return refusal(why, approval, click.decision)
        now = services.now()
        actor = Actor(team=member.team, user=member.user, name=member.name)
        decision = _decision(click.decision, by=actor, at=now, digest=approval.digest)
        try:
            await services.tasks.commit(approval.decide(decision, now))
        except Conflict:
            continue  # someone else was faster, or the card moved: look again
        return None


async def _asked(services: Services, click: Click) -> Approval | None:
    return await services.store.approval(click.value.approval) if click.value else None


async def _refused(
    services: Services, approval: Approval, member: Member, click: Click, digest: str
) -> Why | None:
    """Strangers learn nothing; of the others, who comes too late is told that first."""
    groups = await services.slack.groups(approval.policy.approvers)
    why = authorize(approval, member, groups)
    if why in (Why.OTHER_WORKSPACE, Why.NOT_A_MEMBER):
        return why
    return refuse_stale(approval, digest, click.decision) or why


def _decision(kind: str, **who_and_when: Any) -> Decision:
    return Approve(**who_and_when) if kind == "approve" else Reject(**who_and_when)


def workspace_of(body: dict[str, Any]) -> str:
    """The enterprise, or the team that the user belongs to; `team` is null on org installs."""
    enterprise = (body.get("enterprise") or {}).get("id")
    user = body.get("user") or {}
    team = user.get("team_id") or (body.get("team") or {}).get("id")
    return str(enterprise or team or "")
