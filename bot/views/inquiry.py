"""Ask back: what the card says of it, and the two modals."""

from bot.approvals import Approval
from bot.texts import later, t
from bot.views import rich
from bot.views.modals import Carried, modal
from bot.views.rich import Element
from bot.views.text import Block, plain
from bot.views.words import subject

ASK = "countersign_ask"
ANSWER = "countersign_answer_form"
TEXT = "text"  # block and action of the only input of both
SHOWN_AT_MOST = 500
THREAD = later("Their reply in the thread counts as the answer, or they click Answer.")
FORM = later("They click Answer: a reply in the thread does not count.")
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
    people = {"requester": them, "reviewer": by}
    said = t("Waits for {requester}, whom {reviewer} asked")
    how = t(FORM if restricted else THREAD)
    answer: list[Element] = [rich.paragraph(rich.text(how))]
    if last.answer:
        said = t("{reviewer} asked, and {requester} answered")
        answer = [] if restricted else [rich.quote(last.answer, SHOWN_AT_MOST)]
    words = rich.sentence(f" {said}", people)
    elements = [rich.paragraph(rich.emoji("speech_balloon"), *words), *question, *answer]
    return [rich.block(*elements, block_id=f"{approval.id}.{approval.revision}.inquiry")]


def question_view(approval: Approval, opener: str) -> Block:
    """For the reviewer who asks."""
    who = [rich.mention(approval.requester)] if approval.requester else []
    said = t("{who} is asked in the card's thread. It can be decided meanwhile as before.")
    words = rich.paragraph(*rich.sentence(said, {"who": who}))
    blocks = [subject(approval), rich.block(words), _input(t("Your question"))]
    about = str(len(approval.inquiries))  # so that the same form asks once
    return modal(ASK, t("Ask back"), blocks, Carried.of(approval, opener, about), t("Ask"))


def answer_view(approval: Approval, opener: str) -> Block:
    """For the requester; whole, also where the channel does not read it."""
    asked = approval.inquiry
    blocks: list[Block] = [subject(approval)]
    if asked is not None:
        who = [rich.mention(asked.by.user)] if asked.by.user else []
        said = rich.paragraph(*rich.sentence(t("{who} asks:"), {"who": who}))
        blocks.append(rich.block(said, rich.quote(asked.question, 2900)))
    blocks.append(_input(t("Your answer")))
    about = str(len(approval.inquiries))  # which question: another may be asked meanwhile
    return modal(ANSWER, t("Answer"), blocks, Carried.of(approval, opener, about), t("Answer"))


def _input(label: str) -> Block:
    element = {
        "type": "plain_text_input",
        "action_id": TEXT,
        "multiline": True,
        "max_length": TEXT_AT_MOST,
    }
    return {"type": "input", "block_id": TEXT, "label": plain(label, 100), "element": element}
