"""Ask back: what the card says of it, and the two modals."""

from bot.approvals import Approval
from bot.views import rich
from bot.views.modals import Carried, modal
from bot.views.rich import Element
from bot.views.text import Block, plain
from bot.views.words import subject

ASK = "countersign_ask"
ANSWER = "countersign_answer_form"
TEXT = "text"  # block and action of the only input of both
SHOWN_AT_MOST = 500
TEXT_AT_MOST = 2000


def inquiry(approval: Approval) -> list[Block]:
    """While it waits for a decision: the question that is open, or the last that was answered. In
    the channel, nothing of what was said about a restricted request."""
    if approval.status != "pending" or not approval.inquiries:
        return []
    last = approval.inquiries[-1]
    by = [rich.mention(last.by.user)] if last.by.user else []
    them = [rich.mention(approval.requester)] if approval.requester else []
    restricted = approval.request.sensitivity == "restricted"
    question = [] if restricted else [rich.quote(last.question, SHOWN_AT_MOST)]
    if not last.answer:
        words = [*_words(" Waits for "), *them, rich.text(", whom "), *by, rich.text(" asked")]
        elements = [rich.paragraph(rich.emoji("speech_balloon"), *words), *question]
    else:
        words = [rich.text(" "), *by, rich.text(" asked, and "), *them, rich.text(" answered")]
        answer = [] if restricted else [rich.quote(last.answer, SHOWN_AT_MOST)]
        elements = [rich.paragraph(rich.emoji("speech_balloon"), *words), *question, *answer]
    return [rich.block(*elements, block_id=f"{approval.id}.{approval.revision}.inquiry")]


def question_view(approval: Approval, opener: str) -> Block:
    """For the reviewer who asks."""
    who = [rich.mention(approval.requester)] if approval.requester else []
    words = rich.paragraph(
        *who, rich.text(" is asked in the card's thread. It can be decided meanwhile as before.")
    )
    blocks = [subject(approval), rich.block(words), _input("Your question")]
    about = str(len(approval.inquiries))  # so that the same form asks once
    return modal(ASK, "Ask back", blocks, Carried.of(approval, opener, about), "Ask")


def answer_view(approval: Approval, opener: str) -> Block:
    """For the requester; whole, also where the channel does not read it."""
    asked = approval.inquiry
    blocks: list[Block] = [subject(approval)]
    if asked is not None:
        who = [rich.mention(asked.by.user)] if asked.by.user else []
        blocks.append(
            rich.block(rich.paragraph(*who, rich.text(" asks:")), rich.quote(asked.question, 2900))
        )
    blocks.append(_input("Your answer"))
    about = str(len(approval.inquiries))  # which question: another may be asked meanwhile
    return modal(ANSWER, "Answer", blocks, Carried.of(approval, opener, about), "Answer")


def _input(label: str) -> Block:
    element = {
        "type": "plain_text_input",
        "action_id": TEXT,
        "multiline": True,
        "max_length": TEXT_AT_MOST,
    }
    return {"type": "input", "block_id": TEXT, "label": plain(label, 100), "element": element}


def _words(text: str) -> list[Element]:
    return [rich.text(text, bold=True)]
