"""Settings under which a workflow is tried out: what it keeps stands in a directory of its own."""

from pathlib import Path
from typing import Any

from bot.settings import StoreSettings


def stores(directory: Path) -> dict[str, Path]:
    """What our workflows write on this machine, by the field of the settings."""
    databases = [name for name in StoreSettings.model_fields if name.endswith("_db")]
    kept = {name: directory / f"{name.removesuffix('_db')}.db" for name in databases}
    return {**kept, "outbox": directory / "outbox"}


def nowhere(directory: Path) -> dict[str, Any]:
    """By the name of the setting: nothing leaves this machine, whatever the environment and `.env`
    say. Each account of ours with somebody else may be left out, and here it is."""
    fields = StoreSettings.model_fields
    accounts = {str(each.alias): None for each in fields.values() if each.default is None}
    return {**accounts, **{str(fields[n].alias): path for n, path in stores(directory).items()}}
