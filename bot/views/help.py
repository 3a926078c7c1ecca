"""What `/approvals` can do, taught where it is typed."""

from collections.abc import Iterable

from bot.texts import later, t, tn
from bot.views.card import Card
from bot.views.text import context, escape, escape_lines, section
from workflows.catalog import Workflow

EXAMPLES_AT_MOST = 20
CHARACTERS_AT_MOST = 6000  # of the examples: a message takes 13,200 in all
COMMANDS = later(
    """*What you can type*
`/approvals` – what is waiting for a decision: yours first, then all else
`/approvals mine` · `all` · `requested` (by you) · `overdue` · `workflow:refund` · `"some text"` – \
only these; combine them: `/approvals mine workflow:refund "Acme"`
`/approvals show THREAD_ID` – one run: its questions, votes, decisions and outcome
`/approvals start` – choose a workflow and fill in its form; or `start WORKFLOW field=value …`
`/approvals away until Friday @name` – someone decides in your place; `/approvals away off`
`/approvals reassign THREAD_ID @name [note]` – someone else decides it
`/approvals escalate THREAD_ID` – let those decide too whom the policy names for it
`/approvals help` – this"""
)

DIGEST = later(
    "The digest on a card stands for all that it asks: a decision holds for exactly that, and what "
    "was changed meanwhile is asked again."
)


def help_card(workflows: Iterable[Workflow], problem: str = "") -> Card:
    """problem: what was wrong with the command, in words, already safe."""
    blocks = [section(f":warning: {problem}")] if problem else []
    blocks.append(section(t(COMMANDS)))
    examples = [
        section(f"`/approvals start {workflow.name} {escape(example, 300)}`")
        for workflow in workflows
        for example in workflow.examples
    ]
    shown = examples[:EXAMPLES_AT_MOST]
    while sum(len(each["text"]["text"]) for each in shown) > CHARACTERS_AT_MOST:
        shown.pop()
    blocks += shown
    left = len(examples) - len(shown)
    if left > 0:
        more = tn(
            "… and {n} more example that does not fit here",
            "… and {n} more examples that do not fit here",
            left,
        )
        blocks.append(context(more))
    blocks += [context(t("Quote values with spaces. Decide on the card itself, with its buttons."))]
    blocks += [context(t(DIGEST))]
    return Card(text=problem or t("How to use /approvals"), blocks=blocks)


def problem_card(problem: str, so: str = "") -> Card:
    """What was wrong, line by line. so: what follows, in our own words."""
    lines = escape_lines(problem, 2700)
    told = f":warning: *{so}*\n{lines}" if so else f":warning: {lines}"
    return Card(
        text=so or escape(problem, 200) or t("That did not work."),
        blocks=[section(told), context("`/approvals help`")],
    )
