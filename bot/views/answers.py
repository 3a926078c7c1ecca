"""Private answers: what a person is told who clicked or typed something."""

from collections.abc import Sequence

from bot.approvals import Approval
from bot.policy import Why
from bot.texts import later, t, tn
from bot.views.individual import INDIVIDUALLY, was_individual
from bot.views.text import escape, moment, named, user

APPROVERS_AT_MOST = 20
UNEXPECTED = later(
    ":warning: Something went wrong on our side (reference `{number}`). Look at the card: if it "
    "has not changed, nothing was recorded. Try again, and tell the operator the reference."
)
NOT_RECORDED = later(
    ":warning: Slack could not tell us who may decide, so *nothing was recorded*. "
    "Try again in a minute."
)
REFUSED = later(
    ":warning: Slack refuses what we need for this (`{code}`), so *nothing was recorded*. "
    "Trying again does not help until the operator has looked at it: tell them."
)
NOT_KNOWN = later(":warning: Slack could not tell us who you are. Try again in a minute.")
OTHER_BUTTON = later(
    ":no_entry_sign: This button belongs to another version of Countersign, or to nothing that we "
    "know. *Nothing was recorded.* `/approvals` lists what is pending."
)
OTHER_VIEW = later(
    ":no_entry_sign: This form was opened by someone else, or by another version of Countersign. "
    "*Nothing was recorded.* Open it again."
)
REDIS_AWAY = later(
    ":warning: Our database does not answer, so *nothing was recorded*, and it will not be later. "
    "Try again in a minute."
)
NOT_CONFIRMED = later(
    ":warning: Our database stopped answering while it recorded this, so it is *not confirmed* "
    "that your click counts. Look at the card in a minute: if it has not changed, click again. "
    "However often you click, it counts once."
)
NEWER = later(
    ":hourglass_flowing_sand: An update is being rolled out: this belongs to its newer version, "
    "and you reached an instance of the older one. *Nothing was recorded.* Try again in a minute."
)
NO_ANSWER = later(
    ":warning: Our database or Slack did not answer in time, so this cannot be shown or done now. "
    "Try again in a minute."
)
NO_FORM = later(":warning: Slack did not open the form. Choose it again.")
NOT_SHOWN = later(":warning: Slack did not open the details. Click *Show everything* again.")
NOT_OPENED = later(
    ":warning: Slack did not open the form, and *nothing was recorded*. Click again."
)
RECORDED = later(":white_check_mark: Recorded. The card tells how it goes on.")


def refusal(why: Why, approval: Approval | None, decision: str) -> str:
    """Which refusal it is, and what to do now."""
    if why in _FIXED:
        words = t("{reason} *Nothing was recorded.*", reason=t(_FIXED[why]))
    else:
        words = _SENTENCES[why](approval, decision)
    return f":no_entry_sign: {words}"


def _unknown(*_: object) -> str:
    return t(
        "This button belongs to no approval that we know of. *Nothing was recorded.* "
        "`/approvals` lists what is pending."
    )


def _changed(*_: object) -> str:
    return t(
        "This button was drawn for another version of the request, so *nothing was recorded*. "
        "`/approvals` links to the card as it is now."
    )


def _decided(approval: Approval | None, _: str) -> str:
    if approval is None or approval.closed_at is None:
        return _unknown()
    when, decided = moment(approval.closed_at), t(_DECIDED[approval.status])
    decided = t(INDIVIDUALLY) if was_individual(approval) else decided
    if approval.decision is None or approval.status == "outdated":  # nobody did that
        return t(
            "Already *{decided}* {when}. Your click changed nothing.", decided=decided, when=when
        )
    who = user(approval.decision.by.user, t("the deadline"))
    return t(
        "Already *{decided}* by {who} {when}. Your click changed nothing.",
        decided=decided,
        who=who,
        when=when,
    )


_DECIDED = {
    "pending": later("pending"),
    "approved": later("approved"),
    "edited": later("approved with changes"),
    "rejected": later("rejected"),
    "answered": later("answered"),
    "expired": later("expired"),
    "outdated": later("outdated"),
    "superseded": later("superseded"),
    "cancelled": later("cancelled"),
}


def _superseded(approval: Approval | None, _: str) -> str:
    return t(
        "The workflow no longer asks this: it was superseded {when}. Your click changed nothing. "
        "`/approvals` lists what it asks now.",
        when=moment(approval.closed_at) if approval and approval.closed_at else "",
    )


def _expired(approval: Approval | None, _: str) -> str:
    at = approval and (approval.closed_at or approval.expires_at)
    return t(
        "This expired {when} before anyone decided. Your click changed nothing; start it again "
        "if it is still wanted.",
        when=moment(at) if at else "",
    )


def _not_offered(_: Approval | None, decision: str) -> str:
    words = later(
        "This request does not allow to {decide}: click what its card has. *Nothing was recorded.*"
    )
    return t(_NOT_OFFERED.get(decision, words), decide=escape(decision, 40))


_NOT_OFFERED = {
    "approve": later(
        "This request does not allow to approve: click what its card has. *Nothing was recorded.*"
    ),
    "edit": later(
        "This request does not allow to edit: click what its card has. *Nothing was recorded.*"
    ),
    "reject": later(
        "This request does not allow to reject: click what its card has. *Nothing was recorded.*"
    ),
    "respond": later(
        "This request does not allow to respond: click what its card has. *Nothing was recorded.*"
    ),
}


def _not_failed(*_: object) -> str:
    return t(
        "This run is not failed any more: it was tried again already. Your click changed nothing; "
        "the card tells how it goes on."
    )


def _not_their_turn(approval: Approval | None, _: str) -> str:
    stage = approval.open_stage if approval else None
    first = approval.stages[stage] if approval and stage is not None else None
    return t(
        "It is not your turn yet: first it needs {stage} ({who}). You are asked when they are "
        "done. *Nothing was recorded.*",
        stage=f"*{escape(first.name, 60)}*" if first and first.name else t("others"),
        who=approvers(first.approvers) if first else "",
    )


def _not_an_approver(approval: Approval | None, _: str) -> str:
    stages = approval.stages if approval else ()
    all_of_them = list(dict.fromkeys(each for stage in stages for each in stage.approvers))
    return t(
        "You are not among those who may decide this ({who}): ask one of them. *Nothing was "
        "recorded.*",
        who=approvers(all_of_them),
    )


def _not_asked(approval: Approval | None, _: str) -> str:
    return t(
        "Only {who}, who is asked, answers this. *Nothing was recorded.*",
        who=user(approval.requester if approval else None, t("the requester")),
    )


def approvers(ids: Sequence[str]) -> str:
    """Mentions: users, groups, whoever is in a channel."""
    shown = ", ".join(named(each) for each in ids[:APPROVERS_AT_MOST]) or t("nobody is set")
    left = len(ids) - APPROVERS_AT_MOST
    return tn("{who} and {n} more", "{who} and {n} more", left, who=shown) if left > 0 else shown


_FIXED = {
    Why.NOT_TOGETHER: later("This is to be decided by itself, on its card."),
    Why.REQUESTER: later("You asked for this, so someone else has to decide it."),
    Why.NAMED: later("The request names you, so someone else has to decide it."),
    Why.RAISED: later(
        "So changed, more or other people would have to approve it, so it has to be asked anew: "
        "reject it, and say in the reason what should be asked instead."
    ),
    Why.VOTED: later(
        "Your vote is counted already, and one person has one: *Withdraw my vote* takes it back."
    ),
    Why.NO_VOTE: later(
        "There is no vote of yours on this that could be taken back: the card tells who voted."
    ),
    Why.UNSEEN: later("Look at it first: click *Review* on its card, and decide there."),
    Why.UNSAID: later("This wants a reason: decide on its card, which asks for it."),
    Why.MAY_NOT_REASSIGN: later(
        "Only its approvers hand their place to others, and whom its policy names under "
        "`reassign`: ask one of them."
    ),
    Why.NO_REQUESTER: later("A workflow asked for this and no person, so there is nobody to ask."),
    Why.ASKED_ALREADY: later(
        "A question to the requester is open already: ask when it is answered, or in the thread."
    ),
    Why.ASKED_ENOUGH: later("This has been asked back very often: go on in the thread, or decide."),
    Why.TAKEN_BACK: later(
        "The card has changed since this was drawn: a vote of yours was taken back. Look at it as "
        "it is now, and click there."
    ),
    Why.FORM_ONLY: later(
        "This is restricted, and everyone in the channel reads this thread: click *Answer* on the "
        "card, and delete what you wrote here if it tells more than the card does."
    ),
    Why.NOTHING_ASKED: later(
        "This question is not open any more: look at the card, which tells how it stands."
    ),
    Why.ASKED_MEANWHILE: later(
        "Something was asked and answered since you opened this: look at the card, then ask again."
    ),
    Why.OTHER_OPENER: later("This form was opened by someone else: open it yourself."),
    Why.OTHER_WORKSPACE: later(
        "This belongs to another Slack workspace than yours. Ask someone there to decide it."
    ),
    Why.NOT_A_MEMBER: later(
        "Only full members of this workspace decide: no guests, bots, deactivated users or "
        "people from outside. Ask one of them."
    ),
}
_SENTENCES = {
    Why.UNKNOWN: _unknown,
    Why.CHANGED: _changed,
    Why.DECIDED: _decided,
    Why.SUPERSEDED: _superseded,
    Why.EXPIRED: _expired,
    Why.NOT_OFFERED: _not_offered,
    Why.NOT_FAILED: _not_failed,
    Why.NOT_AN_APPROVER: _not_an_approver,
    Why.NOT_THEIR_TURN: _not_their_turn,
    Why.NOT_ASKED: _not_asked,
}
