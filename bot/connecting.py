"""The outside systems of our own workflows, as the settings name them."""

from bot.settings import StoreSettings
from workflows.connectors.crm import Crm, SqliteCrm
from workflows.connectors.hubspot import HubSpot


def crm(settings: StoreSettings) -> Crm:
    """HubSpot where there is a token for it, else the one for trying out."""
    if settings.hubspot_token is None:
        return SqliteCrm(settings.crm_db)
    token = settings.hubspot_token.get_secret_value()
    return HubSpot(token, settings.hubspot_url, settings.hubspot_mark)
