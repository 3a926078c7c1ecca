"""Starting a workflow from Slack: which one, its form, and what became of it."""

from collections.abc import Iterable

from pydantic import ValidationError

from bot.texts import later, t, tn
from bot.views.forms import form_blocks
from bot.views.modals import Carried, modal
from bot.views.text import Block, context, escape, plain, section
from workflows.catalog import Workflow

SHORTCUT = "countersign_start"
PICKED = "countersign_start_pick"  # action of the menu
FORM = "countersign_start_form"
WORKFLOWS_AT_MOST = 100  # options of one menu
NOTHING_TO_START = later(
    ":information_source: This deployment has no workflow that could be started."
)
GUESTS = later(":warning: Only full members of this workspace start workflows: ask one of them.")
TITLE = later("Start a workflow")


def pick_view(workflows: Iterable[Workflow], opener: str) -> Block:
    """Which one; choosing it brings its form."""
    known = sorted(workflows, key=lambda each: each.title)
    options = [
        {"text": plain(each.title or each.name, 75), "value": each.name}
        for each in known[:WORKFLOWS_AT_MOST]
    ]
    if not options:
        return modal("", t(TITLE), [section(t(NOTHING_TO_START))], Carried(opener=opener))
    menu = {
        "type": "static_select",
        "action_id": PICKED,
        "options": options,
        "placeholder": plain(t("Choose one"), 75),
    }
    blocks: list[Block] = [
        section(
            t("*What is to be started?* Its form comes next; nothing starts before you submit.")
        ),
        {"type": "actions", "block_id": "workflow", "elements": [menu]},
    ]
    left = len(known) - len(options)
    if left > 0:
        more = tn(
            "… and {n} more: `/approvals start WORKFLOW`",
            "… and {n} more: `/approvals start WORKFLOW`",
            left,
        )
        blocks.append(context(more))
    return modal("", t(TITLE), blocks, Carried(opener=opener))


def form_view(workflow: Workflow, opener: str) -> Block:
    """From its input model."""
    fields = form_blocks(workflow.input_model.model_json_schema(), {})
    blocks = [section(f"*{escape(workflow.title or workflow.name, 150)}*"), *fields]
    carried = Carried(opener=opener, about=workflow.name)
    return modal(FORM, t(TITLE), blocks, carried, submit=t("Start"))


def started_words(workflow: str, thread_id: str, channel: str) -> str:
    return t(
        ":rocket: Started {workflow} as {thread}. Its question comes to {channel}.",
        workflow=f"*{escape(workflow, 60)}*",
        thread=f"`{thread_id}`",
        channel=f"<#{channel}>",
    )


def misfit_words(workflow: Workflow, error: ValidationError) -> str:
    """What does not fit its input model, a line each, as InvalidInput says it in English. What a
    model says of a field is the workflow's own, in its language."""
    lines = [t("The input does not fit the workflow {workflow}:", workflow=workflow.name)]
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"]) or t("input")
        lines.append(f"- {where}: {item['msg'].removeprefix('Value error, ')}")
    fields = workflow.input_model.model_fields
    takes = [n if f.is_required() else t("{field} (optional)", field=n) for n, f in fields.items()]
    return "\n".join([*lines, t("It takes {fields}.", fields=", ".join(takes))])


def unknown_workflow(name: str, known: Iterable[str]) -> str:
    there = ", ".join(sorted(known)) or t("none")
    return t("There is no workflow {name}. There is: {known}.", name=repr(name), known=there)


def whether_started(thread_id: str | None) -> str:
    """Where the database did not answer."""
    where = f"`/approvals show {thread_id}`" if thread_id else "`/approvals`"
    return t(
        "Our database does not answer. In a minute {command} tells whether it was started; only if "
        "not, start it again.",
        command=where,
    )
