"""What sends mail and contracts for this deployment: the real thing where it is set, else the
outbox for trying out."""

from bot.settings import StoreSettings
from workflows.addresses import mailbox
from workflows.catalog import Workflow
from workflows.connectors.dropbox_sign import DropboxSign
from workflows.connectors.files import Files
from workflows.connectors.mail import Mailer
from workflows.connectors.outbox import Outbox, TrialMailer
from workflows.connectors.signing import Signing, TrialSigning
from workflows.connectors.smtp import SmtpMailer, SmtpServer
from workflows.graphs.contract_delivery import contract_delivery
from workflows.graphs.outbound_email import outbound_email


def sending(settings: StoreSettings) -> list[Workflow]:
    """The workflows that send something out of the house."""
    files, outbox = Files(settings.files), Outbox(settings.outbox)
    return [
        outbound_email(_mailer(settings, outbox), files),
        contract_delivery(
            _signing(settings, outbox),
            files,
            legal=settings.legal,
            signatories=settings.signatories,
        ),
    ]


def _mailer(settings: StoreSettings, outbox: Outbox) -> Mailer:
    url = settings.smtp_url
    if url is None or settings.mail_from is None:
        return TrialMailer(outbox)
    return SmtpMailer(SmtpServer.at(url.get_secret_value()), mailbox(settings.mail_from))


def _signing(settings: StoreSettings, outbox: Outbox) -> Signing:
    key = settings.dropbox_sign_key
    if key is None:
        return TrialSigning(outbox)
    test = settings.dropbox_sign_test
    return DropboxSign(key.get_secret_value(), settings.dropbox_sign_url, test=test)
