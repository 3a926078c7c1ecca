"""Settings of what goes out: all of it optional, wrong ones named, no secret shown; and what a
deployment sends through by them."""

from decimal import Decimal
from typing import Any, cast

import pytest

from bot.app import catalog, policies
from bot.sending import sending
from bot.settings import BadSettings, StoreSettings, load
from bot.starting import BadStart, Starter
from workflows.connectors.outbox import TRIAL
from workflows.graphs.outbound_email import Nodes
from workflows.graphs.refund import refund_request
from workflows.money import to_minor
from workflows.policy import Policy

SMTP = "smtp://countersign:hunter2@mail.acme.example:587"
SENDER = "Acme Support <support@acme.example>"


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)  # no .env is read
    for field in StoreSettings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://localhost")


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> StoreSettings:
    for name, value in given.items():
        monkeypatch.setenv(f"COUNTERSIGN_{name}", value)
    return load(StoreSettings)


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog(settings(monkeypatch))

    assert {"refund", "outbound_email", "contract_delivery"} <= set(known)
    assert trial_of(known["outbound_email"]) == TRIAL
    assert policies(known, Policy(approvers=("U0000MARA",)))


def test_what_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    mail, contract = sending(
        settings(
            monkeypatch,
            SMTP_URL=SMTP,
            MAIL_FROM=SENDER,
            DROPBOX_SIGN_KEY="hunter2",
            LEGAL="U0000MARA, S0000LEGAL",
            SIGNATORIES="U000JONAS",
        )
    )

    assert trial_of(mail) == ""
    assert contract.lacks == ""
    assert contract.policy is not None
    assert [each.approvers for each in contract.policy.stages] == [
        ("U0000MARA", "S0000LEGAL"),
        ("U000JONAS",),
    ]


def trial_of(workflow: Any) -> str:
    """By the node that fixes it."""
    prepare = workflow.graph.nodes["prepare_email"].runnable.afunc
    return cast("Nodes", prepare.__self__).mailer.trial


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SMTP_URL": SMTP}, "COUNTERSIGN_MAIL_FROM: is not set, and mail needs a sender"),
        ({"SMTP_URL": "mail:hunter2", "MAIL_FROM": SENDER}, "COUNTERSIGN_SMTP_URL: is no address"),
        ({"MAIL_FROM": "support"}, "COUNTERSIGN_MAIL_FROM: 'support' is no e-mail address"),
        ({"LEGAL": "@legal"}, "COUNTERSIGN_LEGAL: '@legal': use ids of users"),
        ({"SIGNATORIES": "U1,nobody"}, "COUNTERSIGN_SIGNATORIES: 'U1', 'nobody': use ids"),
        ({"DROPBOX_SIGN_URL": "api.hellosign.com"}, "COUNTERSIGN_DROPBOX_SIGN_URL: does not have"),
        ({"REFUND_TIERS": "1000"}, "COUNTERSIGN_REFUND_TIERS: write amount:approvals"),
        ({"REFUND_TIERS": "much:2"}, "COUNTERSIGN_REFUND_TIERS: write amount:approvals"),
        ({"REFUND_TIERS": "1000:0"}, "COUNTERSIGN_REFUND_TIERS: write amount:approvals"),
        ({"REFUND_TIERS": "-1:2"}, "COUNTERSIGN_REFUND_TIERS: write amount:approvals"),
        ({"DROPBOX_SIGN_TEST": "perhaps"}, "COUNTERSIGN_DROPBOX_SIGN_TEST: Input should be a"),
    ],
)
def test_what_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    with pytest.raises(BadSettings) as wrong:
        settings(monkeypatch, **given)
    assert f"- {words}" in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize(
    ("amount", "approvals"), [("1000", 1), ("1000.01", 2), ("50000", 2), ("50000.01", 3)]
)
def test_more_approve_a_larger_refund(
    monkeypatch: pytest.MonkeyPatch, amount: str, approvals: int
) -> None:
    known = catalog(settings(monkeypatch, REFUND_TIERS="50000:3, 1000:2"))
    chosen = policies(known, Policy(approvers=("S00FINANCE",)))
    asked = {"customer": "Acme", "currency": "EUR", "order": None, "reason": "Late"}
    cents = to_minor(Decimal(amount), "EUR")
    request = refund_request({**asked, "amount": amount, "amount_cents": cents})  # pyright: ignore[reportArgumentType]
    [stage] = chosen["refund"].for_request(request.fields).in_order
    assert (stage.approvers, stage.quorum) == (("S00FINANCE",), approvals)
    assert chosen["outbound_email"].tiers == ()


def test_tiers_that_nobody_could_pass_are_said_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog(settings(monkeypatch, REFUND_TIERS="1000:2"))
    with pytest.raises(BadSettings, match="refund wants 2 to approve and names 1"):
        policies(known, Policy(approvers=("U0000MARA",)))


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(monkeypatch, SMTP_URL=SMTP, MAIL_FROM=SENDER, DROPBOX_SIGN_KEY="hunter2")
    assert "hunter2" not in repr(given)


def test_one_person_alone_cannot_pass_both_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog(settings(monkeypatch, LEGAL="U0000MARA", SIGNATORIES="U0000MARA"))
    with pytest.raises(BadSettings, match="leaves too few for its stage 'signatory'"):
        policies(known, Policy(approvers=("U0000MARA",)))


async def test_what_lacks_its_settings_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog(settings(monkeypatch, LEGAL="U0000MARA"))
    starter = Starter(cast("Any", None), cast("Any", None), known)  # neither is reached
    with pytest.raises(BadStart, match=r"cannot be started here: COUNTERSIGN_SIGNATORIES not set"):
        await starter.start_run("contract_delivery", {})
