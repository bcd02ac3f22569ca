"""A sale in the books: an event of the message it is owed to. Pure."""

from tocsin.ids import derived_id, new_id
from tocsin.records import Engagement
from tocsin.store.clicks import Message, Sale


def conversion(sale: Sale, message: Message) -> Engagement:
    """The event. Of one reference it is the same one however often, and by whomever, it is told."""
    event_id = derived_id("convert", sale.reference) if sale.reference else new_id()
    return Engagement(
        event_id=event_id,
        kind="convert",
        notification_id=message.notification_id,
        user_id=sale.user_id,
        at=sale.at,
        channel=message.channel,
        type=message.type,
        reference=sale.reference,
        value=sale.value,
        currency=sale.currency,
    )
