"""Settings from the environment: all that is missing or wrong is named at once, secrets never."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict
from redis.asyncio import ConnectionPool

from bot.audit import Keyring
from bot.outward import OutwardSettings, ids_by_commas
from bot.runs import RETENTION
from bot.texts import ENGLISH, BadLanguage, translations
from workflows.connectors.hubspot import HUBSPOT
from workflows.connectors.stripe_payments import STRIPE_API
from workflows.fields import SlackChannelId
from workflows.policy import ApproverId, Policy

KEY_AT_LEAST = 32
SLACK_API = "https://slack.com/api/"


class BadSettings(Exception):
    """Settings are missing or wrong, each of them in a line: `NAME: what, and what to do`."""

    def __init__(self, *problems: str) -> None:
        lines = (f"- {problem}" for problem in problems)
        super().__init__("\n".join(["Settings are missing or wrong:", *lines]))


class StoreSettings(OutwardSettings):
    """What every command needs."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # an empty secret is none: anyone could sign with it
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    redis_url: Annotated[
        SecretStr, Field(alias="REDIS_URL", description="Redis 8 or Redis Stack 7.4, DB 0")
    ]
    namespace: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$"),
        Field(alias="COUNTERSIGN_NAMESPACE", description="keeps deployments on one Redis apart"),
    ] = "default"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(alias="COUNTERSIGN_LOG_LEVEL", description="of our own log lines"),
    ] = "INFO"
    retention_days: Annotated[
        int,
        Field(
            alias="COUNTERSIGN_RETENTION_DAYS",
            ge=0,
            le=36500,
            description="of the graph state of a run that has ended; its record and trail stay",
        ),
    ] = RETENTION.days
    graphs: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            alias="COUNTERSIGN_GRAPHS",
            description="graphs to serve besides: `path.to:graph`, `name=path.to:graph` or the "
            "path of a `langgraph.json`, by commas",
        ),
    ] = ()
    audit_key: Annotated[
        SecretStr | None,
        Field(
            alias="COUNTERSIGN_AUDIT_KEY",
            description="`id:secret` with which the trail is signed (HMAC); others, by commas, "
            "only verify",
        ),
    ] = None
    payments_db: Annotated[
        Path,
        Field(alias="COUNTERSIGN_PAYMENTS_DB", description="the trial ledger of refunds (SQLite)"),
    ] = Path(".countersign/payments.db")
    crm_db: Annotated[
        Path,
        Field(
            alias="COUNTERSIGN_CRM_DB",
            description="the trial CRM (SQLite), where no `COUNTERSIGN_HUBSPOT_TOKEN` is set",
        ),
    ] = Path(".countersign/crm.db")
    hubspot_token: Annotated[
        SecretStr | None,
        Field(alias="COUNTERSIGN_HUBSPOT_TOKEN", description="of a HubSpot private app"),
    ] = None
    hubspot_url: Annotated[
        str,
        StringConstraints(pattern=r"^https?://"),
        Field(alias="COUNTERSIGN_HUBSPOT_URL", description="where HubSpot's API is"),
    ] = HUBSPOT
    hubspot_mark: Annotated[
        str,
        StringConstraints(pattern=r"^([a-z][a-z0-9_]*)?$"),
        Field(
            alias="COUNTERSIGN_HUBSPOT_MARK",
            description="a text property that each update is marked in, so that after a crash it "
            "is certain who wrote it",
        ),
    ] = ""
    patients_db: Annotated[
        Path,
        Field(
            alias="COUNTERSIGN_PATIENTS_DB",
            description="the trial desk of replies to patients (SQLite)",
        ),
    ] = Path(".countersign/patients.db")
    fhir_base: Annotated[
        str | None,
        StringConstraints(pattern=r"^https?://"),
        Field(
            alias="COUNTERSIGN_FHIR_BASE",
            description="a FHIR R4 server that writes to patients, instead of the trial desk",
        ),
    ] = None
    fhir_token: Annotated[
        SecretStr | None, Field(alias="COUNTERSIGN_FHIR_TOKEN", description="its bearer token")
    ] = None
    fhir_consent: Annotated[
        str,
        Field(
            alias="COUNTERSIGN_FHIR_CONSENT",
            description="which consents say who may be written to: their category, as a token of "
            "FHIR; needed with the server",
            validate_default=True,
        ),
    ] = ""
    stripe_key: Annotated[
        SecretStr | None,
        Field(
            alias="COUNTERSIGN_STRIPE_KEY",
            description="sk_… or rk_…: Stripe pays the refunds, instead of the trial ledger",
        ),
    ] = None
    stripe_api_base: Annotated[
        str,
        StringConstraints(pattern=r"^https?://[^/]+$"),
        Field(alias="COUNTERSIGN_STRIPE_API_BASE", description="where Stripe's API is"),
    ] = STRIPE_API

    @field_validator("graphs", mode="before")
    @classmethod
    def _targets(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("audit_key")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        for each in value.get_secret_value().split(",") if value else ():
            key, _, secret = each.strip().partition(":")
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", key) or len(secret) < KEY_AT_LEAST:
                raise ValueError(
                    f"COUNTERSIGN_AUDIT_KEY: write id:secret, the secret of {KEY_AT_LEAST} "
                    "characters at least (openssl rand -hex 32), several by commas"
                )
        return value

    @property
    def keyring(self) -> Keyring:
        """With which the audit trail is signed and verified."""
        given = self.audit_key.get_secret_value().split(",") if self.audit_key else []
        pairs = (each.strip().partition(":") for each in given)
        return Keyring({key: secret.encode() for key, _, secret in pairs})

    @field_validator("fhir_consent")
    @classmethod
    def _names_a_category(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("fhir_base") and not re.fullmatch(r"[^\s|,]+\|[^\s|,]+", value):
            raise ValueError(
                "COUNTERSIGN_FHIR_CONSENT: names no category as `system|code`, such as "
                "http://loinc.org|59284-0: without it a consent to anything would count"
            )
        return value

    @field_validator("stripe_key")
    @classmethod
    def _is_a_secret_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.match(r"[sr]k_(test|live)_", value.get_secret_value()):
            raise ValueError(
                "COUNTERSIGN_STRIPE_KEY: does not look like a secret or restricted key of Stripe "
                "(sk_test_…, rk_live_…)"
            )
        return value

    @property
    def retention(self) -> timedelta:
        return timedelta(days=self.retention_days)

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        try:  # nothing is connected by this
            ConnectionPool.from_url(value.get_secret_value()).make_connection()
        except (ValueError, TypeError):
            raise ValueError(
                "REDIS_URL: is not an address such as redis://:password@host:6379/0 "
                "(escape special characters in the password)"
            ) from None
        return value


class BotSettings(StoreSettings):
    """What the bot and its workers need besides."""

    bot_token: Annotated[
        SecretStr, Field(alias="SLACK_BOT_TOKEN", description="xoxb-…: the app's bot token")
    ]
    app_token: Annotated[
        SecretStr | None, Field(alias="SLACK_APP_TOKEN", description="xapp-…: Socket Mode")
    ] = None
    signing_secret: Annotated[
        SecretStr | None,
        Field(alias="SLACK_SIGNING_SECRET", description="HTTP instead of Socket Mode"),
    ] = None
    api_url: Annotated[
        str,
        StringConstraints(pattern=r"^https?://"),
        Field(alias="SLACK_API_URL", description="where Slack's Web API is"),
    ] = SLACK_API
    port: Annotated[
        int, Field(alias="PORT", ge=0, le=65535, description="of the HTTP endpoint")
    ] = 3000
    health_port: Annotated[
        int | None,
        Field(
            alias="COUNTERSIGN_HEALTH_PORT",
            ge=0,
            le=65535,
            description="of `/healthz` and `/readyz`; over HTTP they are on `PORT` too",
        ),
    ] = None
    channel: Annotated[
        SlackChannelId,
        Field(alias="COUNTERSIGN_CHANNEL", description="id of the channel for cards (C…)"),
    ]
    fallback_channel: Annotated[
        SlackChannelId | None,
        Field(
            alias="COUNTERSIGN_FALLBACK_CHANNEL",
            description="id of the channel for cards whose own takes none",
        ),
    ] = None
    approvers: Annotated[
        tuple[ApproverId, ...],
        NoDecode,
        Field(
            alias="COUNTERSIGN_APPROVERS",
            description="ids of users (U…) and user groups (S…) who may decide, by commas",
            validate_default=True,
        ),
    ] = ()
    language: Annotated[
        str,
        Field(
            alias="COUNTERSIGN_LANGUAGE",
            description="what people read in Slack: `en`, or a .po file",
        ),
    ] = ENGLISH
    instance: Annotated[
        str,
        StringConstraints(max_length=60),
        Field(alias="COUNTERSIGN_INSTANCE", description="this process's name in the trail"),
    ] = ""

    @field_validator("channel", "fallback_channel")
    @classmethod
    def _is_no_conversation(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = cls.model_fields[info.field_name or ""].alias
        if value and value.startswith("D"):
            raise ValueError(
                f"{name}: {value} is a direct message, and cards go where all of the "
                "team sees them: name a channel (C…)"
            )
        return value

    @field_validator("fallback_channel")
    @classmethod
    def _another_channel(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and value == info.data.get("channel"):
            raise ValueError(
                "COUNTERSIGN_FALLBACK_CHANNEL: is COUNTERSIGN_CHANNEL; name another, or none"
            )
        return value

    @field_validator("language")
    @classmethod
    def _is_spoken(cls, value: str) -> str:
        try:
            translations(value)
        except BadLanguage as problem:
            raise ValueError(f"COUNTERSIGN_LANGUAGE: {problem}") from None
        return value

    @field_validator("approvers", mode="before")
    @classmethod
    def _by_commas(cls, value: object, info: ValidationInfo) -> object:
        return ids_by_commas(cls, value, info)

    @field_validator("approvers")
    @classmethod
    def _somebody(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError(
                "COUNTERSIGN_APPROVERS: is empty, and so nobody could decide. "
                "Name users (U…) and user groups (S…), by commas"
            )
        return value

    @field_validator("api_url")
    @classmethod
    def _ends_in_slash(cls, value: str) -> str:
        return value if value.endswith("/") else f"{value}/"

    # Validators of one field each: those of the whole model are silent while any field is wrong.
    @field_validator("bot_token")
    @classmethod
    def _is_a_bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xox"):
            raise ValueError("SLACK_BOT_TOKEN: does not look like a bot token (xoxb-…)")
        return value

    @field_validator("app_token")
    @classmethod
    def _is_an_app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("SLACK_APP_TOKEN: does not look like an app-level token (xapp-…)")
        return value

    @property
    def default_policy(self) -> Policy:
        """For workflows that declare none."""
        return Policy(approvers=self.approvers)


class ListenerSettings(BotSettings):
    """What a process that listens to Slack needs besides."""

    @field_validator("signing_secret")
    @classmethod
    def _socket_or_http(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        is_secret = value and value.get_secret_value().strip()
        if not is_secret and not info.data.get("app_token", "refused"):
            raise ValueError(
                "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET: set the first for Socket Mode, "
                "or the second for HTTP"
            )
        return value


S = TypeVar("S", bound=StoreSettings)


def load(kind: type[S]) -> S:
    """The settings of this process. BadSettings names every one that is missing or wrong."""
    try:
        return kind(**dict[str, Any]())  # from the environment
    except ValidationError as error:
        lines = dict.fromkeys(_line(kind, item) for item in error.errors())
        raise BadSettings(*lines) from None


def _line(kind: type[StoreSettings], item: ErrorDetails) -> str:
    if item["type"] == "value_error":  # our own, with the name in it
        return item["msg"].removeprefix("Value error, ")
    name = str(item["loc"][0])
    about = {field.alias: field.description for field in kind.model_fields.values()}
    known = {"missing": "is not set", "string_pattern_mismatch": "does not have the right form"}
    return f"{name}: {known.get(item['type'], item['msg'])} ({about.get(name, '')})"
