"""Settings of what goes out of the house: mail, contracts, money, and who decides these."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from workflows.addresses import mailbox
from workflows.connectors.dropbox_sign import API
from workflows.connectors.smtp import SmtpServer
from workflows.graphs.refund import AMOUNT
from workflows.policy import APPROVER_ID, ApproverId, Tier


class OutwardSettings(BaseSettings):
    """All of it may be left out: then nothing is sent, and an outbox shows what would have been."""

    files: Annotated[
        Path,
        Field(
            alias="COUNTERSIGN_FILES",
            description="the directory of attachments and documents; the same for every worker",
        ),
    ] = Path(".countersign/files")
    outbox: Annotated[
        Path,
        Field(
            alias="COUNTERSIGN_OUTBOX",
            description="where mail and contracts go as files while the next settings are not set",
        ),
    ] = Path(".countersign/outbox")
    # Before the URL, which is checked by it.
    mail_from: Annotated[
        str | None,
        Field(
            alias="COUNTERSIGN_MAIL_FROM",
            description="in whose name mail is sent: `Acme Support <support@acme.example>`",
        ),
    ] = None
    smtp_url: Annotated[
        SecretStr | None,
        Field(
            alias="COUNTERSIGN_SMTP_URL",
            description="the mail server: `smtp://user:password@host:587` (STARTTLS; without it: "
            "`?tls=none` at the end), or `smtps://`",
        ),
    ] = None
    dropbox_sign_key: Annotated[
        SecretStr | None,
        Field(
            alias="COUNTERSIGN_DROPBOX_SIGN_KEY",
            description="API key of Dropbox Sign, which has contracts signed",
        ),
    ] = None
    dropbox_sign_url: Annotated[
        str,
        StringConstraints(pattern=r"^https?://"),
        Field(alias="COUNTERSIGN_DROPBOX_SIGN_URL", description="where its API is"),
    ] = API
    dropbox_sign_test: Annotated[
        bool,
        Field(
            alias="COUNTERSIGN_DROPBOX_SIGN_TEST",
            description="its test mode: what is sent binds nobody",
        ),
    ] = False
    legal: Annotated[
        tuple[ApproverId, ...],
        NoDecode,
        Field(
            alias="COUNTERSIGN_LEGAL",
            description="ids of users and user groups who decide a contract first, by commas",
        ),
    ] = ()
    signatories: Annotated[
        tuple[ApproverId, ...],
        NoDecode,
        Field(
            alias="COUNTERSIGN_SIGNATORIES",
            description="ids of those who decide it after them, by commas",
        ),
    ] = ()

    refund_tiers: Annotated[
        tuple[Tier, ...],
        NoDecode,
        Field(
            alias="COUNTERSIGN_REFUND_TIERS",
            description="how many approve a refund over an amount: `1000:2,50000:3`, in whichever "
            "currency it is",
        ),
    ] = ()

    @field_validator("refund_tiers", mode="before")
    @classmethod
    def _tiers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = [each.strip().split(":") for each in value.split(",") if each.strip()]
        try:
            tiers = [
                Tier(field=AMOUNT, over=Decimal(over), quorum=int(quorum)) for over, quorum in given
            ]
        except (ArithmeticError, ValueError):
            raise ValueError(
                "COUNTERSIGN_REFUND_TIERS: write amount:approvals, several by commas, such as "
                "1000:2,50000:3"
            ) from None
        return tuple(sorted(tiers, key=lambda tier: tier.over))  # the last that holds decides

    @field_validator("legal", "signatories", mode="before")
    @classmethod
    def _ids(cls, value: object, info: ValidationInfo) -> object:
        return ids_by_commas(cls, value, info)

    @field_validator("mail_from")
    @classmethod
    def _is_a_mailbox(cls, value: str | None) -> str | None:
        try:
            return str(mailbox(value)) if value else None
        except ValueError as problem:
            raise ValueError(f"COUNTERSIGN_MAIL_FROM: {problem}") from None

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        try:
            SmtpServer.at(value.get_secret_value())
        except ValueError as problem:
            raise ValueError(f"COUNTERSIGN_SMTP_URL: {problem}") from None
        if not info.data.get("mail_from", "refused"):
            raise ValueError(
                "COUNTERSIGN_MAIL_FROM: is not set, and mail needs a sender where "
                "COUNTERSIGN_SMTP_URL is set"
            )
        return value


def ids_by_commas(cls: type[BaseSettings], value: object, info: ValidationInfo) -> object:
    """Slack ids; the first that is none is named, with the setting."""
    if not isinstance(value, str):
        return value
    ids = tuple(part.strip() for part in value.split(",") if part.strip())
    wrong = [each for each in ids if not re.fullmatch(APPROVER_ID, each)]
    if wrong:
        named = ", ".join(repr(each) for each in wrong)
        raise ValueError(
            f"{cls.model_fields[info.field_name or ''].alias}: {named}: use ids of users "
            "(U012AB3CD) and user groups (S012AB3CD), by commas"
        )
    return ids
