"""What is another in each run, taken out of what is compared: names, times, hashes."""

import re

PASSING = (
    (re.compile(r"<http[^|>]*/archives/[^|>]*\|"), "<LINK|"),
    (re.compile(r"<!date\^[^>]*>"), "DATE"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:[\d.]+)?( UTC|Z|\+00:00)?"), "TIME"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"ap_[0-9a-f]{24}"), "APPROVAL"),
    (re.compile(r"\(reference \w+\)"), "(reference)"),
)


def passing(text: str, names: dict[str, str]) -> str:
    """The text without it. names: what else is to be replaced, and by what."""
    for pattern, name in PASSING:
        text = pattern.sub(name, text)
    for known, name in names.items():
        text = text.replace(known, name)
    return text
