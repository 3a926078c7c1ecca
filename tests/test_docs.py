"""What the README and the manifest say is what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.http_endpoint import PATH
from bot.listeners.commands import COMMAND
from bot.local.seeds import COMMANDS
from bot.settings import ListenerSettings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANIFEST = (ROOT / "manifest.yml").read_text(encoding="utf-8")
SCHEMA = ROOT.parent / "shared" / "slack" / "manifest.schema.2.0.0.json"


def test_every_setting_stands_in_the_readme_as_it_is_described_in_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", README, re.MULTILINE)
    fields = ListenerSettings.model_fields.values()
    assert dict(rows) == {field.alias: field.description for field in fields}


def test_the_map_in_the_readme_is_the_tree() -> None:
    drawn = README.split("## Where things are")[1].split("```")[1]
    named = set(re.findall(r"\b([a-z_]+\.(?:py|lua))\b", drawn))
    there = {
        path.name
        for package in ("bot", "workflows")
        for path in (ROOT / package).iterdir()
        if path.suffix in (".py", ".lua") and not path.name.startswith("__")
    }
    assert named == there
    for folder in re.findall(r"\b([a-z_]+)/", drawn):
        places = (ROOT / each / folder for each in (".", "bot", "workflows", "tests"))
        assert any(place.is_dir() for place in places), folder


def test_pictures_and_files_that_the_readme_links_are_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_the_manifest_fits_slacks_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("Slack's schema of manifests is not here")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft7Validator(schema).iter_errors(_manifest())
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def test_so_does_the_one_for_http_that_the_readme_describes() -> None:
    if not SCHEMA.exists():
        pytest.skip("Slack's schema of manifests is not here")
    [how] = re.findall(r"^HTTP instead of Socket Mode: .+ in the manifest (.+)$", README, re.M)
    assert re.findall(r"`([^`]+)`", how) == [
        "socket_mode_enabled: false",
        f"https://your.host{PATH}",
        "url",
        "request_url",
        "interactivity",
        "event_subscriptions",
    ]
    manifest, address = _manifest(), f"https://your.host{PATH}"
    manifest["settings"]["socket_mode_enabled"] = False
    manifest["features"]["slash_commands"][0]["url"] = address
    manifest["settings"]["interactivity"]["request_url"] = address
    manifest["settings"]["event_subscriptions"]["request_url"] = address
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft7Validator(schema).iter_errors(manifest)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def test_every_scope_of_the_manifest_has_its_reason() -> None:
    reasons = dict(re.findall(r"^      - ([a-z:]+) # (.+)$", MANIFEST, re.MULTILINE))
    assert list(reasons) == _manifest()["oauth_config"]["scopes"]["bot"]
    told = re.findall(r"^\| ([a-z]+(?::[a-z]+)?) \| (.+) \|$", README, re.MULTILINE)
    assert dict(told).items() >= reasons.items()


def test_the_commands_of_the_manifest_are_those_that_are_listened_to() -> None:
    asked = [command["command"] for command in _manifest()["features"]["slash_commands"]]
    assert asked == [COMMAND] == [command.command for command in COMMANDS]


def _manifest() -> Any:
    return yaml.safe_load(MANIFEST)
