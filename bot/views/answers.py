"""Private answers: what a person is told who clicked or typed something."""

from collections.abc import Callable, Sequence

from bot.approvals import Approval
from bot.policy import Why
from bot.views.text import escape, moment, named, user, verb_of

APPROVERS_AT_MOST = 20
UNEXPECTED = (
    ":warning: Something went wrong on our side (reference `{number}`). Look at the card: if it "
    "has not changed, nothing was recorded. Try again, and tell the operator the reference."
)
NOT_RECORDED = (
    ":warning: Slack could not tell us who may decide, so *nothing was recorded*. "
    "Try again in a minute."
)
REFUSED = (
    ":warning: Slack refuses what we need for this (`{code}`), so *nothing was recorded*. "
    "Trying again does not help until the operator has looked at it: tell them."
)
NOT_KNOWN = ":warning: Slack could not tell us who you are. Try again in a minute."
OTHER_BUTTON = (
    ":no_entry_sign: This button belongs to another version of Countersign, or to nothing that we "
    "know. *Nothing was recorded.* `/approvals` lists what is pending."
)
OTHER_VIEW = (
    ":no_entry_sign: This form was opened by someone else, or by another version of Countersign. "
    "*Nothing was recorded.* Open it again."
)
REDIS_AWAY = (
    ":warning: Our database does not answer, so *nothing was recorded*, and it will not be later. "
    "Try again in a minute."
)
NOT_CONFIRMED = (
    ":warning: Our database stopped answering while it recorded this, so it is *not confirmed* "
    "that your click counts. Look at the card in a minute: if it has not changed, click again. "
    "However often you click, it counts once."
)
NEWER = (
    ":hourglass_flowing_sand: An update is being rolled out: this belongs to its newer version, "
    "and you reached an instance of the older one. *Nothing was recorded.* Try again in a minute."
)
NO_ANSWER = (
    ":warning: Our database or Slack did not answer in time, so this cannot be shown or done now. "
    "Try again in a minute."
)
NO_FORM = ":warning: Slack did not open the form. Choose it again."
NOT_SHOWN = ":warning: Slack did not open the details. Click *Show everything* again."
NOT_OPENED = ":warning: Slack did not open the form, and *nothing was recorded*. Click again."
RECORDED = ":white_check_mark: Recorded. The card tells how it goes on."


def refusal(why: Why, approval: Approval | None, decision: str) -> str:
    """Which refusal it is, and what to do now."""
    return f":no_entry_sign: {_SENTENCES[why](approval, decision)}"


def _unknown(*_: object) -> str:
    return (
        "This button belongs to no approval that we know of. *Nothing was recorded.* "
        "`/approvals` lists what is pending."
    )


def _changed(*_: object) -> str:
    return (
        "This button was drawn for another version of the request, so *nothing was recorded*. "
        "`/approvals` links to the card as it is now."
    )


def _decided(approval: Approval | None, _: str) -> str:
    if approval is None or approval.closed_at is None:
        return _unknown()
    who = f" by {user(approval.decision.by.user, 'the deadline')}" if approval.decision else ""
    when = moment(approval.closed_at)
    return f"Already *{verb_of(approval.status)}*{who} {when}. Your click changed nothing."


def _superseded(approval: Approval | None, _: str) -> str:
    when = moment(approval.closed_at) if approval and approval.closed_at else ""
    return (
        f"The workflow no longer asks this: it was superseded {when}. Your click changed nothing. "
        "`/approvals` lists what it asks now."
    )


def _expired(approval: Approval | None, _: str) -> str:
    at = approval and (approval.closed_at or approval.expires_at)
    when = moment(at) if at else ""
    return (
        f"This expired {when} before anyone decided. Your click changed nothing; start it again "
        "if it is still wanted."
    )


def _not_offered(_: Approval | None, decision: str) -> str:
    return f"This request does not allow to {escape(decision, 40)}. *Nothing was recorded.*"


def _not_failed(*_: object) -> str:
    return (
        "This run is not failed any more: it was tried again already. Your click changed nothing; "
        "the card tells how it goes on."
    )


def _fixed(reason: str) -> Callable[[Approval | None, str], str]:
    return lambda _approval, _decision: f"{reason} *Nothing was recorded.*"


def _not_their_turn(approval: Approval | None, _: str) -> str:
    stage = approval.open_stage if approval else None
    first = approval.stages[stage] if approval and stage is not None else None
    name = f"*{escape(first.name, 60)}*" if first and first.name else "others"
    who = approvers(first.approvers) if first else ""
    return (
        f"It is not your turn yet: first it needs {name} ({who}). You are asked when they are "
        "done. *Nothing was recorded.*"
    )


def _not_an_approver(approval: Approval | None, _: str) -> str:
    stages = approval.stages if approval else ()
    all_of_them = list(dict.fromkeys(each for stage in stages for each in stage.approvers))
    who = approvers(all_of_them)
    return f"You are not among those who may decide this ({who}). *Nothing was recorded.*"


def _not_asked(approval: Approval | None, _: str) -> str:
    requester = user(approval.requester, "the requester") if approval else "the requester"
    return f"Only {requester}, who is asked, answers this. *Nothing was recorded.*"


def approvers(ids: Sequence[str]) -> str:
    """Mentions: users, groups, whoever is in a channel."""
    shown = ", ".join(named(each) for each in ids[:APPROVERS_AT_MOST])
    left = len(ids) - APPROVERS_AT_MOST
    return f"{shown or 'nobody is set'}{f' and {left} more' if left > 0 else ''}"


_SENTENCES = {
    Why.UNKNOWN: _unknown,
    Why.CHANGED: _changed,
    Why.DECIDED: _decided,
    Why.SUPERSEDED: _superseded,
    Why.EXPIRED: _expired,
    Why.NOT_OFFERED: _not_offered,
    Why.NOT_TOGETHER: _fixed("This is to be decided by itself, on its card."),
    Why.NOT_FAILED: _not_failed,
    Why.NOT_AN_APPROVER: _not_an_approver,
    Why.REQUESTER: _fixed("You asked for this, so someone else has to decide it."),
    Why.NAMED: _fixed("The request names you, so someone else has to decide it."),
    Why.NOT_THEIR_TURN: _not_their_turn,
    Why.VOTED: _fixed(
        "Your vote is counted already, and one person has one: *Withdraw my vote* takes it back."
    ),
    Why.NO_VOTE: _fixed("There is no vote of yours on this that could be taken back."),
    Why.UNSEEN: _fixed("Look at it first: click *Review* on its card, and decide there."),
    Why.UNSAID: _fixed("This wants a reason: decide on its card, which asks for it."),
    Why.MAY_NOT_REASSIGN: _fixed(
        "Only its approvers hand their place to others, and whom its policy names under "
        "`reassign`: ask one of them."
    ),
    Why.NO_REQUESTER: _fixed("A workflow asked for this and no person, so there is nobody to ask."),
    Why.ASKED_ALREADY: _fixed(
        "A question to the requester is open already: ask when it is answered, or in the thread."
    ),
    Why.ASKED_ENOUGH: _fixed(
        "This has been asked back very often: go on in the thread, or decide."
    ),
    Why.NOT_ASKED: _not_asked,
    Why.NOTHING_ASKED: _fixed("This question is not open any more: it was answered already."),
    Why.ASKED_MEANWHILE: _fixed(
        "Something was asked and answered since you opened this: look at the card, then ask again."
    ),
    Why.OTHER_OPENER: _fixed("This form was opened by someone else: open it yourself."),
    Why.OTHER_WORKSPACE: _fixed("This belongs to another Slack workspace than yours."),
    Why.NOT_A_MEMBER: _fixed(
        "Only full members of this workspace decide: no guests, bots, deactivated users or people "
        "from outside."
    ),
}
