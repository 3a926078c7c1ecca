"""Characters that are not seen: refused where something is paid by a text, kept in emoji."""

import pytest

from workflows.hidden import is_hidden, one_line, visible


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Acme\u202egnp.exe", r"not seen \(U\+202E RIGHT-TO-LEFT OVERRIDE\); leave them out"),
        ("Ac\u200bme", r"U\+200B ZERO WIDTH SPACE"),
        ("Acme\x00", r"\(U\+0000\)"),
        ("Ac\u200dme", r"U\+200D ZERO WIDTH JOINER"),
        ("A\ufe0f", r"U\+FE0F VARIATION SELECTOR-16"),
        ("1\ufe0f", r"U\+FE0F VARIATION SELECTOR-16"),
        ("\U0001f600\ufe0f\ufe0f", r"U\+FE0F VARIATION SELECTOR-16"),
        ("\U0001f3f4\U000e0067", r"U\+E0067 TAG LATIN SMALL LETTER G"),
        ("\x01\x02\x03\x04\x01", r"\(U\+0001, U\+0002, U\+0003 and others\)"),
        ("a\rb", r"U\+000D"),
    ],
)
def test_what_is_not_seen_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ada & Söhne, 東京, שלום",
        "❤\ufe0f",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "1\ufe0f\u20e3",
        "\u2764\ufe0f\u200d\U0001f525",
        "two\nlines\r\nand\ttabs",
        "",
    ],
)
def test_what_is_seen_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\r\nb", "a\u2028b"])
def test_a_line_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="write it in one line"):
        one_line(text)
    assert one_line("a b") == "a b"


def test_line_break_and_tab_are_seen() -> None:
    assert [each for each in "\n\ta é\u202e\x7f\ud800" if is_hidden(each)] == [
        "\u202e",
        "\x7f",
        "\ud800",
    ]
