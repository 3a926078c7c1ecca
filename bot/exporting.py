"""Rows of audit trails written to a file: JSON lines, CSV or Parquet, in constant memory."""

import csv
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from bot.auditor import Row

Format = Literal["jsonl", "csv", "parquet"]
Write = Callable[[list[Row]], None]

COLUMNS = list(Row.__annotations__)
GROUP = 20_000  # rows that a group of a Parquet file has
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class NoParquet(Exception):
    """pyarrow is not installed; the message says how to get it."""


@contextmanager
def writing(form: Format, to: TextIO | Path) -> Generator[Write, None, None]:
    """to: an open text file for jsonl and csv, a path for parquet."""
    if form == "parquet":
        with _parquet(to) as write:
            yield write
    elif isinstance(to, Path):
        with to.open("w", encoding="utf-8", newline="") as file:
            yield _csv(file) if form == "csv" else _jsonl(file)
    else:
        yield _csv(to) if form == "csv" else _jsonl(to)


def _jsonl(file: TextIO) -> Write:
    def write(rows: list[Row]) -> None:
        for row in rows:
            line = {**row, "detail": json.loads(row["detail"])}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    return write


def _csv(file: TextIO) -> Write:
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()

    def write(rows: list[Row]) -> None:
        writer.writerows({key: _no_formula(value) for key, value in row.items()} for row in rows)

    return write


def _no_formula(value: object) -> object:
    """A spreadsheet carries out what begins like a formula; a name may."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


@contextmanager
def _parquet(to: TextIO | Path) -> Generator[Write, None, None]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise NoParquet(
            "--format parquet needs pyarrow: pip install 'countersign[parquet]'"
        ) from None
    kinds: dict[str, Any] = {"seq": pa.int64(), "at": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    waiting: list[Row] = []
    with pq.ParquetWriter(to, schema) as writer:

        def flush() -> None:
            columns = {name: [row[name] for row in waiting] for name in COLUMNS}
            columns["at"] = pa.array(columns["at"]).cast(pa.timestamp("us", tz="UTC"))
            writer.write_table(pa.table(columns, schema=schema))
            waiting.clear()

        def write(rows: list[Row]) -> None:
            waiting.extend(rows)
            if len(waiting) >= GROUP:
                flush()

        yield write
        if waiting:
            flush()
