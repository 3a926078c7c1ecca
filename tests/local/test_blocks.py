"""The check of blocks and views: at each limit fine, one beyond refused, with what and where."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models import blocks as sdk

from bot.local.blocks import check_blocks, check_view, text_is_too_long, view_is_too_large
from bot.local.records import Json
from tests.local.shapes import (
    actions,
    asked,
    button,
    home,
    modal,
    mrkdwn,
    options,
    plain,
    preformatted,
    section,
    select,
    text_input,
)


def confirm(title: int = 1, text: int = 1) -> Json:
    return {"title": plain("x" * title), "text": plain("x" * text)}


def table(rows: int = 1, cells: int = 1) -> Json:
    row = [{"type": "raw_text", "text": "x"}] * cells
    return {"type": "table", "rows": [row] * rows}


LIMITS: list[tuple[str, int, Callable[[int], Json]]] = [
    ("section text", 3000, lambda n: section("x" * n)),
    ("section fields", 10, lambda n: {"type": "section", "fields": [mrkdwn("x")] * n}),
    ("section field", 2000, lambda n: {"type": "section", "fields": [mrkdwn("x" * n)]}),
    ("header", 150, lambda n: {"type": "header", "text": plain("x" * n)}),
    ("block_id", 255, lambda n: section(block_id="x" * n)),
    ("action_id", 255, lambda n: actions(button(action_id="x" * n))),
    ("button text", 75, lambda n: actions(button("x" * n))),
    ("button value", 2000, lambda n: actions(button(value="x" * n))),
    ("confirm title", 100, lambda n: actions(button(confirm=confirm(title=n)))),
    ("confirm text", 300, lambda n: actions(button(confirm=confirm(text=n)))),
    ("actions", 25, lambda n: actions(*[button(action_id=str(i)) for i in range(n)])),
    ("context", 10, lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}),
    ("select options", 100, lambda n: actions(select(n))),
    ("overflow", 5, lambda n: actions({"type": "overflow", "options": options(n)})),
    ("checkboxes", 10, lambda n: actions({"type": "checkboxes", "options": options(n)})),
    ("rows", 100, lambda n: table(rows=n)),
    ("cells", 20, lambda n: table(cells=n)),
    ("markdown", 12_000, lambda n: {"type": "markdown", "text": "x" * n}),
]


@pytest.mark.parametrize(("name", "limit", "make"), LIMITS, ids=[name for name, *_ in LIMITS])
def test_limits_hold(name: str, limit: int, make: Callable[[int], Json]) -> None:
    assert check_blocks([make(limit)]) == []
    assert len(check_blocks([make(limit + 1)])) == 1


@pytest.mark.parametrize(("surface", "limit"), [("message", 50), ("modal", 100), ("home", 100)])
def test_number_of_blocks(surface: Any, limit: int) -> None:
    assert check_blocks([section()] * limit, surface) == []
    assert check_blocks([section()] * (limit + 1), surface) == [
        f"no more than {limit} items allowed [json-pointer:/blocks]"
    ]


def test_a_problem_says_what_and_where() -> None:
    problems = check_blocks([section(), section("x" * 3001)])

    assert problems == ["must be less than 3001 characters [json-pointer:/blocks/1/text/text]"]


WRONG: list[tuple[str, Json]] = [
    ("unsupported type: fancy", {"type": "fancy"}),
    ("missing required field: type", {"text": plain("x")}),
    ("missing required field: text or fields", {"type": "section"}),
    ("invalid additional property: colour", section(colour="red")),
    (
        "invalid additional property: verbatim",
        section(
            accessory=button() | {"text": {"type": "plain_text", "text": "x", "verbatim": True}}
        ),
    ),
    (
        "invalid additional property: emoji",
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}},
    ),
    ("unsupported type: mrkdwn", {"type": "header", "text": mrkdwn("x")}),
    ("must be more than 0 characters", section("")),
    ("must be a string", {"type": "section", "text": {"type": "mrkdwn", "text": 5}}),
    ("must provide an object", {"type": "section", "text": "x"}),
    ("must be one of: primary, danger", actions(button(style="default"))),
    ("must be a valid URL", actions(button(url="example.com/x"))),
    ("must be a valid URL", actions(button(url="javascript:alert(1)"))),
    ("unsupported type: plain_text_input", actions(text_input())),
    ("unsupported type: input", asked(text_input())),
    ("unsupported type: alert", {"type": "alert", "text": plain("x")}),
    ("no fewer than 1 items allowed", actions()),
    ("already exists in this block", actions(button(), button())),
    ("already exists", actions(select() | {"options": options(1) * 2})),
    ("must match one of the options", actions(select(initial_option=options(9)[8]))),
    ("exactly one of options, option_groups", actions({"type": "static_select"})),
    (
        "unsupported type: rich_text_table",
        {"type": "rich_text", "elements": [{"type": "rich_text_table"}]},
    ),
    (
        "unsupported type: user",
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_preformatted",
                    "elements": [{"type": "user", "user_id": "U1234"}],
                }
            ],
        },
    ),
    ("must be more than 0 characters", preformatted("")),
    (
        "same number of cells",
        {
            "type": "table",
            "rows": [[{"type": "raw_text", "text": "x"}], [{"type": "raw_text", "text": "x"}] * 2],
        },
    ),
    ("exactly one of image_url", {"type": "image", "alt_text": "x"}),
]


@pytest.mark.parametrize(("words", "block"), WRONG, ids=[words for words, _ in WRONG])
def test_wrong_blocks_are_refused(words: str, block: Json) -> None:
    problems = check_blocks([block])

    assert len(problems) == 1
    assert words in problems[0]


def test_action_ids_are_unique_in_context_actions_too() -> None:
    trash = {"type": "icon_button", "icon": "trash", "text": plain("x"), "action_id": "a"}
    block = {"type": "context_actions", "elements": [trash, trash]}

    assert "already exists in this block" in check_blocks([block])[0]


def test_block_ids_are_unique_and_there_is_one_table() -> None:
    assert "already exists" in check_blocks([section(block_id="a"), section(block_id="a")])[0]
    assert check_blocks([table()]) == []
    assert "only_one_table_allowed" in check_blocks([table(), table()])[0]


RIGHT: list[Json] = [
    section(accessory=button(style="danger", confirm=confirm())),
    {"type": "divider"},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "a", "style": {"bold": True}},
                    {"type": "link", "url": "https://example.com", "text": "there"},
                    {"type": "user", "user_id": "U0000MARA"},
                    {"type": "emoji", "name": "wave"},
                ],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "l"}]}
                ],
            },
        ],
    },
    actions(
        {"type": "datepicker", "initial_date": "2026-02-28"},
        {"type": "radio_buttons", "options": options(2), "initial_option": options(1)[0]},
        {"type": "users_select", "placeholder": plain("Who?")},
        {"type": "overflow", "options": [{**options(1)[0], "url": "https://example.com"}]},
    ),
]


@pytest.mark.parametrize("block", RIGHT, ids=[block["type"] for block in RIGHT])
@pytest.mark.parametrize("surface", ["message", "modal", "home"])
def test_right_blocks_pass_everywhere(block: Json, surface: Any) -> None:
    assert check_blocks([block], surface) == []


INPUTS: list[Json] = [
    text_input(min_length=1, max_length=3000, multiline=True, initial_value="x"),
    {"type": "number_input", "is_decimal_allowed": True, "min_value": "0.5", "max_value": "9"},
    {"type": "email_text_input"},
    {"type": "url_text_input"},
    {"type": "rich_text_input", "initial_value": preformatted("x")},
    {"type": "multi_static_select", "options": options(3), "max_selected_items": 2},
    {"type": "checkboxes", "options": options(3), "initial_options": options(2)},
    {"type": "timepicker", "initial_time": "23:59"},
]


@pytest.mark.parametrize("element", INPUTS, ids=[element["type"] for element in INPUTS])
def test_inputs_pass_in_a_modal(element: Json) -> None:
    assert check_view(modal(asked(element)), "modal") == []


WRONG_INPUTS: list[tuple[str, Json]] = [
    ("missing required field: is_decimal_allowed", {"type": "number_input"}),
    (
        "a string that holds a number",
        {"type": "number_input", "is_decimal_allowed": False, "max_value": 5},
    ),
    ("whole number", {"type": "number_input", "is_decimal_allowed": False, "min_value": "0.5"}),
    (
        "between min_value and max_value",
        {
            "type": "number_input",
            "is_decimal_allowed": False,
            "max_value": "5",
            "initial_value": "6",
        },
    ),
    ("must be less than 4 characters", text_input(max_length=3, initial_value="four")),
    ("must be between 1 and 3000", text_input(max_length=3001)),
    ("does not match the pattern", {"type": "datepicker", "initial_date": "28.02.2026"}),
    ("unsupported type: button", button()),
]


@pytest.mark.parametrize(("words", "element"), WRONG_INPUTS, ids=[w for w, _ in WRONG_INPUTS])
def test_wrong_inputs_are_refused(words: str, element: Json) -> None:
    problems = check_view(modal(asked(element)), "modal")

    assert len(problems) == 1
    assert words in problems[0]
    assert "[json-pointer:/view/blocks/0/element" in problems[0]


WRONG_VIEWS: list[tuple[str, Json]] = [
    (
        "must be less than 25 characters [json-pointer:/view/title/text]",
        modal(title=plain("x" * 25)),
    ),
    ("must be less than 25 characters", modal(submit=plain("x" * 25))),
    ("must be less than 25 characters", modal(close=plain("x" * 25))),
    ("unsupported type: mrkdwn", modal(title=mrkdwn("x"))),
    ("must be less than 3001 characters", modal(private_metadata="x" * 3001)),
    ("must be less than 256 characters", modal(callback_id="x" * 256)),
    ("missing required field: title", modal() | {"title": None}),
    ("invalid additional property: submit_disabled", modal(submit_disabled=True)),
    ("submit is required", modal(asked(text_input()), submit=None)),
    ("unsupported type: home", home()),
]


@pytest.mark.parametrize(("words", "view"), WRONG_VIEWS, ids=[words for words, _ in WRONG_VIEWS])
def test_wrong_views_are_refused(words: str, view: Json) -> None:
    problems = check_view(view, "modal")

    assert len(problems) == 1
    assert words in problems[0]


def test_an_alert_is_for_modals_only() -> None:
    alert = {"type": "alert", "text": plain("x"), "level": "warning"}

    assert check_view(modal(alert), "modal") == []
    assert "unsupported type: alert" in check_view(home(alert), "home")[0]


def test_home_has_no_submit() -> None:
    assert check_view(home(), "home") == []
    assert "submit" in check_view(home(submit=plain("x")), "home")[0]


def test_all_texts_together_are_limited() -> None:
    assert not text_is_too_long([section("x" * 2900)] * 4)
    assert text_is_too_long([section("x" * 3000)] * 4)
    assert not view_is_too_large(modal())
    assert view_is_too_large(modal(*[section("ä" * 3000)] * 42))


def test_what_the_sdk_builds_passes() -> None:
    built = [
        sdk.HeaderBlock(text="Title"),
        sdk.SectionBlock(text="*x*", accessory=sdk.ButtonElement(text="Go", action_id="go")),
        sdk.ActionsBlock(
            elements=[sdk.ButtonElement(text="Yes", action_id="yes", style="primary", value="1")]
        ),
        sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="x", verbatim=True)]),
        sdk.RichTextBlock(
            elements=[
                sdk.RichTextPreformattedElement(elements=[sdk.RichTextElementParts.Text(text="{}")])
            ]
        ),
    ]

    assert check_blocks([block.to_dict() for block in built]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "options"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3), st.sampled_from(["section", "actions", "rich_text", "table"]))
def test_no_json_breaks_the_check(values: list[Any], kind: str) -> None:
    blocks = [value | {"type": kind} if isinstance(value, dict) else value for value in values]

    assert all("[json-pointer:" in problem for problem in check_blocks(blocks))
