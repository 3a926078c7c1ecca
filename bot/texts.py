"""Every text that people read in Slack, in the language of the deployment.

The English text is its own key, as gettext has it: `t("Requested by {who}", who=…)`. All of them
stand in locale/countersign.pot (`make texts`), and docs/translate.md says how another language is
added. What is stored, digested or compared stays English, and is said in the other language where
it is shown (views/stored.py); so do commands, what a terminal prints, and the log.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

ENGLISH = "en"
FOLDER = Path(__file__).parent / "locale"
FILE = Path("LC_MESSAGES") / "countersign.po"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


class BadLanguage(ValueError):
    """It cannot be spoken; the message says why, for an operator."""


@dataclass
class _Spoken:
    """What this process speaks: one language, chosen once, before anything is said."""

    catalog: NullTranslations
    locale: str


_spoken = _Spoken(NullTranslations(), "en_US")


def t(text: str, /, **values: object) -> str:
    """The text in the language that is spoken. values: of its `{names}`; without any they stay,
    for who fills them in otherwise (rich.sentence, Slack's dates)."""
    said = _spoken.catalog.gettext(text) if text else ""
    return said.format(**values) if values else said


def tn(one: str, many: str, count: int, /, **values: object) -> str:
    """The same where it depends on how many: `{n}` stands for the count."""
    said = _spoken.catalog.ngettext(one, many, count)
    return said.format(**{"n": counted(count), **values})


def later(text: str, /) -> str:
    """A text of the catalog that is said later, by `t`: a constant is made before the language is
    known, and what is stored stays as it is."""
    return text


def counted(count: int) -> str:
    """`1,234`"""
    return format_decimal(count, locale=_spoken.locale)


def listed(some: list[str]) -> str:
    """`one and another and a third`"""
    said = some[0] if some else ""
    for each in some[1:]:
        said = t("{some} and {another}", some=said, another=each)
    return said


def locale() -> str:
    """Of the language, for what Babel writes."""
    return _spoken.locale


def languages() -> list[str]:
    """Those that come with us."""
    return sorted({ENGLISH, *(path.parts[-3] for path in FOLDER.glob(f"*/{FILE}"))})


def speak(language: str) -> None:
    """From here on; see `translations`."""
    _spoken.catalog, _spoken.locale = translations(language)


def translations(language: str) -> tuple[NullTranslations, str]:
    """Of one of `languages`, or of a .po file of one's own, and its locale. A file is read as
    translators write it: there is nothing to compile, and what is not translated, or `fuzzy`, is
    said in English. BadLanguage where there is no such language, or its file is broken."""
    if language == ENGLISH:
        return NullTranslations(), "en_US"
    own = language.endswith(".po")
    if not own and language not in languages():
        there = ", ".join(languages())
        raise BadLanguage(
            f"there is no language {language!r}; there is {there}, or name a .po file"
        )
    path = Path(language) if own else FOLDER / language / FILE
    try:
        with path.open("rb") as file:
            catalog = read_po(file, locale=None if own else language, abort_invalid=True)
    except (OSError, UnknownLocaleError, PoFileError, ValueError) as error:
        raise BadLanguage(f"{path}: {error}") from None
    if catalog.locale is None:
        raise BadLanguage(f"{path}: its header names no Language, such as de or pt_BR")
    wrong = [problem for message in catalog for problem in problems_of(message)]
    if wrong:
        raise BadLanguage(f"{path}: {'; '.join(wrong)}")
    return compiled(catalog), str(catalog.locale)


def compiled(catalog: Catalog) -> GNUTranslations:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    buffer.seek(0)
    return GNUTranslations(buffer)


def problems_of(message: Message) -> list[str]:
    """A translation has the placeholders of its text, and no others; but `{n}` may be left out
    where the form says how many."""
    texts, said = _each(message.id), [each for each in _each(message.string) if each]
    may = set[str]().union(*map(placeholders, texts))
    must = may.intersection(*map(placeholders, texts)) - ({"n"} if len(texts) > 1 else set())
    return [
        f"{each!r} must have {_shown(must)} in it, and may have {_shown(may)}"
        for each in said
        if message.id and not message.fuzzy and not _fits(each, must, may)
    ]


def _fits(translation: str, must: set[str], may: set[str]) -> bool:
    other = re.search("[{}]", PLACEHOLDER.sub("", translation))
    return not other and must <= placeholders(translation) <= may


def placeholders(text: str) -> set[str]:
    """`{who}`, `{n}`: what stands for values in it."""
    return set(PLACEHOLDER.findall(text))


def _each(some: str | Iterable[str] | None) -> list[str]:
    return [some] if isinstance(some, str) else list(some or ())


def _shown(names: set[str]) -> str:
    return ", ".join(f"{{{each}}}" for each in sorted(names)) or "no placeholder"
