"""With another language installed, no word of ours is left in English: on no card, in no reply,
modal, list, message or answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langgraph.graph import StateGraph
from pydantic import BaseModel, Field

from bot.texts import speak
from tests.texts.pseudo import outside, write_pseudo
from tests.texts.surfaces import read_on, surfaces
from workflows.catalog import Workflow


class Model(BaseModel):
    """Its own words are the workflow's."""

    A1: int = Field(title="A1", ge=5)
    X2: str = Field(title="X2", max_length=9)


WORKFLOW = Workflow("W1", "TITLE W", Model, StateGraph(dict), examples=("A1=1 X2=2",))


@pytest.fixture(scope="module")
def pseudo_language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("locale") / "pseudo.po"
    write_pseudo(path)
    return path


@pytest.fixture
def pseudo(pseudo_language: Path) -> Iterator[None]:
    speak(str(pseudo_language))
    yield
    speak("en")


@pytest.mark.usefixtures("pseudo")
def test_every_surface_comes_from_the_catalog() -> None:
    untold = {
        (name.partition(" of ")[0], word, text)
        for name, shown in surfaces(WORKFLOW)
        for text in read_on(shown)
        for word in outside(text)
    }
    assert sorted(untold) == []
