"""Starting a workflow from Slack: which one, its form, and what became of it."""

from collections.abc import Iterable

from bot.views.forms import form_blocks
from bot.views.modals import Carried, modal
from bot.views.text import Block, context, escape, plain, section
from workflows.catalog import Workflow

SHORTCUT = "countersign_start"
PICKED = "countersign_start_pick"  # action of the menu
FORM = "countersign_start_form"
WORKFLOWS_AT_MOST = 100  # options of one menu
NOTHING_TO_START = ":information_source: This deployment has no workflow that could be started."
GUESTS = ":warning: Only full members of this workspace start workflows: ask one of them."


def pick_view(workflows: Iterable[Workflow], opener: str) -> Block:
    """Which one; choosing it brings its form."""
    known = sorted(workflows, key=lambda each: each.title)
    options = [
        {"text": plain(each.title or each.name, 75), "value": each.name}
        for each in known[:WORKFLOWS_AT_MOST]
    ]
    if not options:
        return modal("", "Start a workflow", [section(NOTHING_TO_START)], Carried(opener=opener))
    menu = {
        "type": "static_select",
        "action_id": PICKED,
        "options": options,
        "placeholder": plain("Choose one", 75),
    }
    blocks: list[Block] = [
        section("*What is to be started?* Its form comes next; nothing starts before you submit."),
        {"type": "actions", "block_id": "workflow", "elements": [menu]},
    ]
    left = len(known) - len(options)
    if left > 0:
        blocks.append(context(f"… and {left} more: `/approvals start WORKFLOW`"))
    return modal("", "Start a workflow", blocks, Carried(opener=opener))


def form_view(workflow: Workflow, opener: str) -> Block:
    """From its input model."""
    fields = form_blocks(workflow.input_model.model_json_schema(), {})
    blocks = [section(f"*{escape(workflow.title or workflow.name, 150)}*"), *fields]
    carried = Carried(opener=opener, about=workflow.name)
    return modal(FORM, "Start a workflow", blocks, carried, submit="Start")


def started_words(workflow: str, thread_id: str, channel: str) -> str:
    started = f":rocket: Started *{escape(workflow, 60)}* as `{thread_id}`."
    return f"{started} Its question comes to <#{channel}>."


def whether_started(thread_id: str | None) -> str:
    """Where the database did not answer."""
    where = f"`/approvals show {thread_id}`" if thread_id else "`/approvals`"
    return (
        f"Our database does not answer. In a minute {where} tells whether it was started; only if "
        "not, start it again."
    )
