"""The outside systems of our own workflows, as the settings name them, or what is there to try
them out."""

from bot.settings import StoreSettings
from workflows.catalog import Workflow
from workflows.connectors.crm import Crm, SqliteCrm
from workflows.connectors.fhir import FhirPatients
from workflows.connectors.hubspot import HubSpot
from workflows.connectors.patients import Patients, SqlitePatients
from workflows.connectors.payments import Payments, SqlitePayments
from workflows.connectors.stripe_payments import StripePayments
from workflows.graphs.crm_update import crm_update
from workflows.graphs.patient_reply import patient_reply
from workflows.graphs.refund import refund


def own(settings: StoreSettings) -> list[Workflow]:
    """Those of our workflows that reach them."""
    return [
        refund(payments(settings), settings.refund_tiers),
        crm_update(crm(settings)),
        patient_reply(patients(settings)),
    ]


def crm(settings: StoreSettings) -> Crm:
    """HubSpot where there is a token for it, else the one for trying out."""
    if settings.hubspot_token is None:
        return SqliteCrm(settings.crm_db)
    token = settings.hubspot_token.get_secret_value()
    return HubSpot(token, settings.hubspot_url, settings.hubspot_mark)


def payments(settings: StoreSettings) -> Payments:
    """Stripe where its key is set; else a ledger for trying out."""
    if settings.stripe_key is None:
        return SqlitePayments(settings.payments_db)
    return StripePayments(settings.stripe_key, settings.stripe_api_base)


def patients(settings: StoreSettings) -> Patients:
    """A FHIR server where one is set; else a desk for trying out."""
    if settings.fhir_base is None:
        return SqlitePatients(settings.patients_db)
    return FhirPatients(settings.fhir_base, settings.fhir_consent, settings.fhir_token)
