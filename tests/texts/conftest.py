"""The language that is none, as a file and as what this process speaks."""

from collections.abc import Iterator

import pytest

from bot.texts import speak
from tests.texts.pseudo import write_pseudo


@pytest.fixture(scope="session")
def pseudo_language(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("locale") / "pseudo.po"
    write_pseudo(path)
    return str(path)


@pytest.fixture
def pseudo(pseudo_language: str) -> Iterator[str]:
    speak(pseudo_language)
    yield pseudo_language
    speak("en")
