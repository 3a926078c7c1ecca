"""What an export writes is opened in a spreadsheet."""

import csv
import io

import pytest

from bot.audit import Tag, chain
from bot.auditor import row
from bot.exporting import writing
from tests.bot.samples import actor, draft


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)"])
def test_a_name_is_no_formula(name: str) -> None:
    [event] = chain(None, [draft(Tag.APPROVED, actor=actor().model_copy(update={"name": name}))])
    out = io.StringIO()
    with writing("csv", out) as write:
        write([row(event)])
    [read] = csv.DictReader(io.StringIO(out.getvalue()))
    assert (read["actor_name"], read["tag"]) == (f"'{name}", "approval:approved")
