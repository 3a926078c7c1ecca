"""Settings: all that is missing or wrong at once, in words that help, and never a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.connecting import payments
from bot.settings import BadSettings, BotSettings, ListenerSettings, StoreSettings, load

SECRETS = {
    "REDIS_URL": "redis://:hunter2-redis@db.example:6379/0",
    "SLACK_BOT_TOKEN": "xoxb-hunter2-bot",
    "SLACK_APP_TOKEN": "xapp-hunter2-app",
    "SLACK_SIGNING_SECRET": "hunter2-signing",
}
GOOD = {**SECRETS, "COUNTERSIGN_CHANNEL": "C0APPROVAL", "COUNTERSIGN_APPROVERS": "U0000MARA"}
Set = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Sets the environment: the good one but for what is given; None takes a setting away."""
    monkeypatch.chdir(tmp_path)  # no .env is read
    for kind in (StoreSettings, BotSettings):
        for field in kind.model_fields.values():
            monkeypatch.delenv(str(field.alias), raising=False)

    def change(**changed: str | None) -> None:
        for name, value in {**GOOD, **changed}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return change


def complaints(kind: type[StoreSettings] = ListenerSettings) -> dict[str, str]:
    """What is said about each setting."""
    with pytest.raises(BadSettings) as caught:
        load(kind)
    title, *lines = str(caught.value).splitlines()
    assert title == "Settings are missing or wrong:"
    assert "hunter2" not in str(caught.value)
    return dict(line.removeprefix("- ").split(": ", 1) for line in lines)


def test_what_is_set_is_read(environment: Set) -> None:
    environment(PORT="8080", COUNTERSIGN_INSTANCE="one", COUNTERSIGN_LOG_LEVEL="DEBUG")
    settings = load(ListenerSettings)

    assert settings.bot_token.get_secret_value() == "xoxb-hunter2-bot"
    assert (settings.channel, settings.port, settings.instance) == ("C0APPROVAL", 8080, "one")
    assert (settings.namespace, settings.log_level) == ("default", "DEBUG")
    assert settings.api_url == "https://slack.com/api/"


def test_a_command_without_slack_needs_redis_only(environment: Set) -> None:
    environment(SLACK_BOT_TOKEN=None, SLACK_APP_TOKEN=None, COUNTERSIGN_CHANNEL=None)

    assert load(StoreSettings).redis_url.get_secret_value() == SECRETS["REDIS_URL"]


def test_a_worker_needs_no_way_to_listen(environment: Set) -> None:
    environment(SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET=None)

    assert load(BotSettings).app_token is None


def test_everything_that_is_missing_is_named_at_once(environment: Set) -> None:
    environment(**dict.fromkeys(GOOD))
    said = complaints()

    assert set(said) == {
        "REDIS_URL", "SLACK_BOT_TOKEN", "COUNTERSIGN_CHANNEL",
        "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET", "COUNTERSIGN_APPROVERS",
    }  # fmt: skip
    assert said["SLACK_BOT_TOKEN"] == "is not set (xoxb-…: the app's bot token)"
    assert said["COUNTERSIGN_CHANNEL"] == "is not set (id of the channel for cards (C…))"


WRONG: dict[str, tuple[str, str]] = {
    "SLACK_BOT_TOKEN": ("hunter2-xoxb", "does not look like a bot token (xoxb-…)"),
    "SLACK_APP_TOKEN": ("xoxb-hunter2", "does not look like an app-level token (xapp-…)"),
    "SLACK_API_URL": ("slack.com/api", "where Slack's Web API is"),
    "PORT": ("70000", "65535"),
    "COUNTERSIGN_CHANNEL": ("#approvals", "id of the channel for cards (C…)"),
    "COUNTERSIGN_APPROVERS": ("U0000MARA,@jonas", "'@jonas': use ids of users (U012AB3CD)"),
    "COUNTERSIGN_NAMESPACE": ("Not This", "keeps deployments on one Redis apart"),
    "COUNTERSIGN_LOG_LEVEL": ("LOUD", "'DEBUG', 'INFO'"),
    "COUNTERSIGN_INSTANCE": ("x" * 61, "60"),
    "COUNTERSIGN_STRIPE_KEY": ("pk_live_hunter2", "does not look like a secret or restricted key"),
    "COUNTERSIGN_STRIPE_API_BASE": ("api.stripe.com", "where Stripe's API is"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_what_it_should_be(environment: Set, name: str) -> None:
    value, words = WRONG[name]
    environment(**{name: value})
    said = complaints()

    assert set(said) == {name}
    assert words in said[name]
    assert "^[" not in said[name], "a pattern is no sentence"


def test_a_direct_message_is_no_channel_for_cards(environment: Set) -> None:
    environment(COUNTERSIGN_CHANNEL="D0000MARA")

    assert "is a direct message" in complaints()["COUNTERSIGN_CHANNEL"]


def test_everything_that_is_wrong_is_named_at_once_beside_what_is_missing(environment: Set) -> None:
    environment(**{name: value for name, (value, _) in WRONG.items()}, REDIS_URL=None)

    assert set(complaints()) == {"REDIS_URL", *WRONG}


@pytest.mark.parametrize("empty", [None, "", " "])
def test_without_a_way_to_listen_both_ways_are_named(environment: Set, empty: str | None) -> None:
    """An empty secret is none: whoever knew that could sign any request."""
    environment(SLACK_APP_TOKEN=(empty or "").strip(), SLACK_SIGNING_SECRET=empty)
    said = complaints()["SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"]

    assert "Socket Mode" in said
    assert "HTTP" in said


@pytest.mark.parametrize("kept", ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"])
def test_one_way_to_listen_is_enough(environment: Set, kept: str) -> None:
    other = {"SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"} - {kept}
    environment(**dict.fromkeys(other))
    settings = load(ListenerSettings)

    assert (settings.app_token is None) == (kept == "SLACK_SIGNING_SECRET")
    assert (settings.signing_secret is None) == (kept == "SLACK_APP_TOKEN")


def test_a_setting_that_is_set_to_nothing_is_not_set(environment: Set) -> None:
    environment(SLACK_BOT_TOKEN="", PORT="", COUNTERSIGN_APPROVERS="")

    assert set(complaints()) == {"SLACK_BOT_TOKEN", "COUNTERSIGN_APPROVERS"}


@pytest.mark.parametrize("value", ["U0000MARA,S00FINANCE", " U0000MARA , S00FINANCE ,, "])
def test_approvers_come_by_commas(environment: Set, value: str) -> None:
    environment(COUNTERSIGN_APPROVERS=value)
    settings = load(BotSettings)

    assert settings.approvers == ("U0000MARA", "S00FINANCE")
    assert settings.default_policy.approvers == settings.approvers
    assert settings.default_policy.requester_may_approve is False


@pytest.mark.parametrize("value", [None, "", " , "])
def test_without_approvers_it_does_not_start(environment: Set, value: str | None) -> None:
    environment(COUNTERSIGN_APPROVERS=value)

    assert complaints()["COUNTERSIGN_APPROVERS"].startswith("is empty, and so nobody could decide")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api", "http://127.0.0.1:1/api/"])
def test_the_api_url_ends_in_a_slash(environment: Set, url: str) -> None:
    environment(SLACK_API_URL=url)

    assert load(BotSettings).api_url == "http://127.0.0.1:1/api/"


@pytest.mark.parametrize("category", [None, "59284-0", "a|b,c|d", "a b|c"])
def test_which_consents_count_is_said_with_the_server(
    environment: Set, category: str | None
) -> None:
    environment(COUNTERSIGN_FHIR_BASE="https://fhir.example/r4", COUNTERSIGN_FHIR_CONSENT=category)

    assert set(complaints()) == {"COUNTERSIGN_FHIR_CONSENT"}
    environment(COUNTERSIGN_FHIR_BASE=None)
    assert load(StoreSettings).fhir_base is None


def test_what_tries_out_never_pays(environment: Set) -> None:
    """The demo and the torture take no key of Stripe's from the environment."""
    environment(COUNTERSIGN_STRIPE_KEY="sk_live_hunter2")
    paying, trying = load(StoreSettings), {"REDIS_URL": "redis://a", "COUNTERSIGN_STRIPE_KEY": None}

    assert payments(paying).told == "paid by Stripe, in live mode"
    assert "for trying out" in payments(StoreSettings.model_validate(trying)).told


def test_secrets_are_not_shown(environment: Set) -> None:
    environment(COUNTERSIGN_STRIPE_KEY="sk_test_hunter2")
    settings = load(ListenerSettings)

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown


def test_a_dot_env_file_is_read(environment: Set, tmp_path: Path) -> None:
    environment(COUNTERSIGN_CHANNEL=None)
    (tmp_path / ".env").write_text("COUNTERSIGN_CHANNEL=C0FROMFILE\n")

    assert load(BotSettings).channel == "C0FROMFILE"


def test_the_error_of_a_model_holds_no_secret_either(environment: Set) -> None:
    environment(COUNTERSIGN_CHANNEL=None)
    with pytest.raises(ValueError, match="COUNTERSIGN_CHANNEL") as caught:
        ListenerSettings.model_validate(SECRETS)

    assert "hunter2" not in str(caught.value)
