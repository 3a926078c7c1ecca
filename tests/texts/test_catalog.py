"""The catalog: it is what stands in the code, and a file of a translator's is read or refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import outcomes, texts
from bot.settings import BadSettings, BotSettings, load
from bot.texts import PLACEHOLDER, BadLanguage, counted, listed, placeholders, speak, t, tn
from bot.views import rich, stored
from bot.views.text import money
from tests.texts.extracted import TEMPLATE, extracted, written

HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {language}\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n>1 && n<5 ? 1 : 2);\\n"

"""
WAITS = """\
msgid "{n} approval waits for you now:"
msgid_plural "{n} approvals wait for you now:"
msgstr[0] "Na ciebie czeka jedna zgoda:"
msgstr[1] "Na ciebie czekają {n} zgody:"
msgstr[2] "Na ciebie czeka {n} zgód:"
"""
BY = 'msgid "Approved by {who}"\nmsgstr "Zgoda: {who}"\n'


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    speak("en")


def polish(tmp_path: Path, *entries: str, language: str = "pl") -> str:
    path = tmp_path / "own.po"
    path.write_text(HEADER.format(language=language) + "\n".join(entries), encoding="utf-8")
    return str(path)


def test_the_catalog_is_what_stands_in_the_code() -> None:
    assert TEMPLATE.read_bytes() == written(), "make texts"


def test_every_text_has_only_named_places_for_values() -> None:
    for message in extracted():
        for text in [message.id] if isinstance(message.id, str) else message.id:
            assert not set("{}") & set(PLACEHOLDER.sub("", text)), text


def test_a_language_is_spoken_with_its_order_plurals_and_figures(tmp_path: Path) -> None:
    speak(polish(tmp_path, WAITS, BY))
    assert t("Approved by {who}", who="Mara") == "Zgoda: Mara"
    one, many = "{n} approval waits for you now:", "{n} approvals wait for you now:"
    said = [tn(one, many, count) for count in (1, 3, 7000)]
    assert said == [
        "Na ciebie czeka jedna zgoda:",
        "Na ciebie czekają 3 zgody:",
        "Na ciebie czeka 7\u00a0000 zgód:",
    ]
    assert money(1205000, "PLN") == "12\u00a0050,00\u00a0zł PLN"
    assert t("Rejected by {who}", who="Mara") == "Rejected by Mara"  # not translated yet
    speak("en")
    assert t("Approved by {who}", who="Mara") == "Approved by Mara"
    assert (counted(7000), money(1205000, "PLN")) == ("7,000", "PLN12,050.00 PLN")


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ((BY.replace("Zgoda: {who}", "Zgoda"),), "must have {who} in it"),
        ((BY.replace("Zgoda: {who}", "{kto}: {who}"),), "may have {who}"),
        ((BY.replace("Zgoda: {who}", "{who.name} {who}"),), "must have {who}"),
        ((WAITS.replace("{n} zgody", "{m} zgody"),), "must have no placeholder"),
        (('msgid "A\n',), "own.po"),
    ],
)
def test_a_broken_file_is_refused_and_the_text_named(
    tmp_path: Path, entries: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(BadLanguage, match="own") as refused:
        speak(polish(tmp_path, *entries))
    assert problem in str(refused.value)


def test_a_doubtful_translation_is_not_said(tmp_path: Path) -> None:
    speak(polish(tmp_path, f"#, fuzzy\n{BY.replace('{who}', '')}"))
    assert t("Approved by {who}", who="Mara") == "Approved by Mara"


def test_a_file_that_is_not_there_or_names_no_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLanguage, match="No such file"):
        speak(str(tmp_path / "none.po"))
    with pytest.raises(BadLanguage, match="names no Language"):
        speak(polish(tmp_path, BY, language=""))
    with pytest.raises(BadLanguage, match="names no Language"):
        speak(polish(tmp_path, BY, language="tlh"))  # nobody knows how it writes money


def test_a_language_that_comes_with_us_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    there = tmp_path / "pl" / "LC_MESSAGES"
    there.mkdir(parents=True)
    (there / "countersign.po").write_text(HEADER.format(language="pl") + BY, encoding="utf-8")
    assert texts.languages() == ["en", "pl"]
    speak("pl")
    assert t("Approved by {who}", who="Mara") == "Zgoda: Mara"


def test_an_unknown_language_is_an_error_at_start_that_lists_what_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERSIGN_LANGUAGE", "xx")
    with pytest.raises(BadSettings) as refused:
        load(BotSettings)
    problem = "- COUNTERSIGN_LANGUAGE: there is no language 'xx'; there is en, or name a .po file"
    assert problem in str(refused.value).splitlines()


def test_each_language_that_comes_with_us_can_be_spoken() -> None:
    for language in texts.languages():
        speak(language)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (outcomes.NOTHING_EXECUTED, "[Nothing was executed]"),
        ("The workflow failed: E42", "[The workflow failed: E42]"),
        ("Carried out, but then the workflow failed: countersign show tells why",
         "[[Carried out], but then the workflow failed: [countersign show tells why]]"),
        ("Mara says that it happened, receipt unknown",
         "[Mara says that it happened, receipt unknown]"),
        ("Boom (reference 12ab)", "[Boom (reference 12ab)]"),
        ("Refund done, re_1", "Refund done, re_1"),
        ("Done", "Done"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_kept_in_english_is_said_in_the_language(pseudo: str, kept: str, said: str) -> None:
    plain = stored.said(kept).replace("⟦", "[").replace("⟧", "]")
    assert plain.translate(str.maketrans("àéîöüýÀÉÎÖÛ", "aeiouyAEIOU")) == said


def test_a_sentence_puts_people_where_the_language_has_them() -> None:
    who, whom = rich.mention("U1"), rich.mention("U2")
    made = rich.sentence("{whom}: {who} asks, {said}!", {"who": who, "whom": whom, "said": "{who}"})
    shown = [each.get("text") or each["user_id"] for each in made]
    assert shown == ["U2", ": ", "U1", " asks, ", "{who}", "!"]


def test_a_list_is_joined_by_the_language() -> None:
    assert [listed(each) for each in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a and b and c"]
    assert placeholders("{who} {n} {}") == {"who", "n"}
