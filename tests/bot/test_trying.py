"""What is tried out reaches nobody, whatever the deployment has set."""

from pathlib import Path

import pytest

from bot.app import catalog
from bot.connecting import crm, patients, payments
from bot.settings import StoreSettings
from bot.trying import nowhere
from workflows.connectors.crm import SqliteCrm
from workflows.connectors.patients import SqlitePatients
from workflows.connectors.payments import SqlitePayments

REAL = {
    "COUNTERSIGN_HUBSPOT_TOKEN": "pat-1",
    "COUNTERSIGN_MAIL_FROM": "support@acme.example",
    "COUNTERSIGN_SMTP_URL": "smtp://mail.acme.example:587",
    "COUNTERSIGN_DROPBOX_SIGN_KEY": "key",
    "COUNTERSIGN_STRIPE_KEY": "sk_live_1",
    "COUNTERSIGN_FHIR_BASE": "https://fhir.acme.example",
    "COUNTERSIGN_FHIR_CONSENT": "http://loinc.org|59284-0",
}


@pytest.mark.parametrize("kept", ["environment", ".env"])
def test_accounts_of_the_deployment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in REAL.items():
        monkeypatch.delenv(name, raising=False)
        if kept == "environment":
            monkeypatch.setenv(name, value)
    if kept == ".env":
        lines = [f"{name}={value}" for name, value in REAL.items()]
        (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    given = {"REDIS_URL": "redis://unused"}
    real = StoreSettings.model_validate(given)
    assert real.smtp_url, "the premise: these are read"

    settings = StoreSettings.model_validate({**given, **nowhere(tmp_path / "trial")})
    assert isinstance(crm(settings), SqliteCrm)
    assert isinstance(payments(settings), SqlitePayments)
    assert isinstance(patients(settings), SqlitePatients)
    assert (settings.smtp_url, settings.dropbox_sign_key, settings.hubspot_token) == (None,) * 3
    assert catalog(settings)
    assert settings.crm_db == tmp_path / "trial" / "crm.db"
    assert settings.payments_db == tmp_path / "trial" / "payments.db"
    assert settings.outbox == tmp_path / "trial" / "outbox"
