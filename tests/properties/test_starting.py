"""Starting from Slack, whatever a workflow is called and its input model asks for; and what is
taught where something was typed wrong."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from langgraph.graph import StateGraph
from pydantic import BaseModel

from bot.views.away import away_card, away_view, back_card, refused_card
from bot.views.help import help_card, problem_card
from bot.views.home import Away, leave
from bot.views.modals import Carried
from bot.views.starting import form_view, pick_view, started_words, whether_started
from bot.views.text import escape
from tests.bot import drawn
from tests.bot.samples import MARA, NOW, TOM
from tests.properties.requests import text
from tests.properties.schemas import LONG, filled
from tests.properties.test_surfaces import MANY, problems, problems_of
from workflows.catalog import Workflow

NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,60}", fullmatch=True)


class Entered(BaseModel):
    """Its fields are in the schema only."""


def with_input(schema: dict[str, Any]) -> type[BaseModel]:
    def told(*_: object, **__: object) -> dict[str, Any]:
        return schema

    return type("Given", (Entered,), {"model_json_schema": told})


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    schema, _ = draw(filled())
    examples = tuple(draw(st.lists(text | st.just(LONG), max_size=3)))
    model = with_input(schema)
    return Workflow(draw(NAMES), draw(text), model, StateGraph(dict), examples=examples)


@given(of=workflows())
@MANY
def test_the_form_of_any_input_is_taken(of: Workflow) -> None:
    view = form_view(of, MARA)
    assert [each for each in problems_of(view) if not each.startswith("hidden: ")] == []
    carried = Carried.read(view["private_metadata"])
    assert carried
    assert (carried.opener, carried.about) == (MARA, of.name)
    assert "submit" in view


@given(some=st.lists(workflows(), max_size=3), times=st.sampled_from([1, 40]))
@example(some=[], times=1)
@MANY
def test_the_menu_and_the_help_are_taken(some: list[Workflow], times: int) -> None:
    every = some * times
    named = [
        Workflow(f"w{number}", each.title, each.input_model, each.graph, examples=each.examples)
        for number, each in enumerate(every)
    ]
    assert problems_of(pick_view(named, MARA)) == []
    assert problems(help_card(named)) == []


@given(typed=text | st.just(LONG), name=NAMES)
@MANY
def test_what_is_taught_is_taken(typed: str, name: str) -> None:
    assert problems(help_card([], escape(typed, 400))) == []
    assert problems(problem_card(typed)) == []
    assert problems(problem_card(typed, "Nothing was started.")) == []
    assert problems(refused_card(escape(typed, 400))) == []
    for words in (started_words(name, "t" * 128, "C0APPROVAL"), whether_started("t" * 128)):
        assert drawn.problems_of_text(words) == []


def test_the_form_and_the_words_of_an_absence_are_taken() -> None:
    for deputy in (None, TOM):
        for until in (None, NOW):
            assert problems_of(away_view(MARA, deputy, until)) == []
            assert problems(away_card(deputy, until, "They are told.")) == []
    assert problems(back_card(was_away=False)) == []
    home = {"type": "home", "blocks": [leave(None), {**leave(Away(TOM, NOW)), "block_id": "b"}]}
    assert problems_of(home, "home") == []
