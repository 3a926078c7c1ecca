"""How the verdicts of `countersign check` are told: as text, as JSON, as annotations of GitHub."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from bot.views.text import clean
from workflows.findings import RULES, Finding
from workflows.replay import Report, told

Format = Literal["text", "json", "github"]


def exit_code(reports: Sequence[Report], *, strict: bool) -> int:
    """0: clean, 1: findings, 2: a part of it could not be checked."""
    if any(report.failing(strict=strict) for report in reports):
        return 1
    return 2 if any(report.unchecked for report in reports) else 0


def drawn(reports: Sequence[Report], how: Format, *, strict: bool) -> str:
    """What is printed."""
    if how == "json":
        return json.dumps(_as_json(reports, strict=strict), indent=2)
    if how == "github":
        return "\n".join(line for report in reports for line in _annotations(report))
    return clean("\n\n".join(_text(report, strict=strict) for report in reports))


def _text(report: Report, *, strict: bool) -> str:
    tried = f"{_many(report.questions, 'question')}, {_many(report.crashes, 'crash')}"
    verdict = f"{report.workflow}: nothing would happen twice ({tried})"
    if report.failing(strict=strict):
        verdict = f"{report.workflow}: not replay-safe"
    elif report.unchecked:
        verdict = f"{report.workflow}: not checked"
    elif report.findings:
        verdict = f"{report.workflow}: nothing would happen twice without a crash ({tried})"
    body = told(replace(report, findings=tuple(_relative(each) for each in report.findings)))
    return f"{verdict}\n{body}" if body else verdict


def _as_json(reports: Sequence[Report], *, strict: bool) -> dict[str, Any]:
    listed = [
        {
            **asdict(report),
            "findings": [
                {
                    **asdict(_relative(each)),
                    "severity": each.severity,
                    "means": RULES[each.rule].means,
                    "cures": list(RULES[each.rule].cures),
                }
                for each in report.findings
            ],
        }
        for report in reports
    ]
    return {"exit_code": exit_code(reports, strict=strict), "workflows": listed}


def _annotations(report: Report) -> list[str]:
    lines = [
        _annotation(_relative(each), f"{RULES[each.rule].means}: {each.words}", report)
        for each in report.findings
    ]
    if report.unchecked:
        words = f"{report.workflow} could not be checked: {report.unchecked}"
        lines.append(f"::error title=not checked::{_escaped(words)}")
    return lines


def _annotation(finding: Finding, words: str, report: Report) -> str:
    cures = "\n".join(["", *RULES[finding.rule].cures])
    title = f"title={_escaped(f'{finding.rule} ({report.workflow} {finding.node})', property=True)}"
    where = [title]
    if finding.place:
        file = _escaped(finding.place.file, property=True)
        where = [f"file={file}", f"line={finding.place.line}", title]
    return f"::{finding.severity} {','.join(where)}::{_escaped(words + cures)}"


def _escaped(text: str, *, property: bool = False) -> str:  # noqa: A002 - GitHub's word for it
    """As workflow commands have it."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text


def _relative(finding: Finding) -> Finding:
    """With its file as seen from here."""
    if finding.place is None or not Path(finding.place.file).is_relative_to(Path.cwd()):
        return finding
    file = str(Path(finding.place.file).relative_to(Path.cwd()))
    return replace(finding, place=replace(finding.place, file=file))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 'es' if what == 'crash' else 's'}"
