"""A message's words, ready to be sent."""

import msgspec


class Content(msgspec.Struct, frozen=True):
    """The words on one channel. `title` is a push's title or an email's subject; `body` the text;
    `html` and `unsubscribe` (a URL) are for email. One-time codes pass here: no repr shows any.

    `link` is followed by way of Tocsin where it is tracked; `target` is where it leads.
    """

    body: str
    title: str = ""
    html: str = ""
    link: str = ""
    unsubscribe: str = ""
    target: str = ""

    def __repr__(self) -> str:
        return f"Content({len(self.title)} + {len(self.body)} + {len(self.html)} characters)"
