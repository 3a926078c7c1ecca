"""Which SQL statements write, and which leave the same behind when they come twice."""

import re

WRITES = re.compile(r"^\s*(?:WITH\b.*?\)\s*)?(INSERT|UPDATE|DELETE|REPLACE|MERGE)\b", re.I | re.S)
BY_KEY = re.compile(r"\bON\s+CONFLICT\b|\bOR\s+(IGNORE|REPLACE)\b|^\s*(REPLACE|DELETE)\b", re.I)
COUNTS = re.compile(r"\b(\w+)\s*=[^,]*\b\1\b(?!\s*=)", re.I)  # n = n + 1


def writes(statement: str) -> bool:
    """Does it change what is stored? What only makes a table does not."""
    return bool(WRITES.match(statement))


def is_same_again(statement: str) -> bool:
    """Of one that writes: the very same statement changes nothing more when it comes again."""
    if BY_KEY.search(statement):
        return True
    found = WRITES.match(statement)
    is_update = found is not None and found[1].upper() == "UPDATE"
    return is_update and not COUNTS.search(re.split(r"\bWHERE\b", statement, flags=re.I)[0])
