"""Templates: which words a request gets, whether its data fits them, and the words themselves.

In the kernel, and not with the senders as architecture.md has it: the API checks, previews and
publishes with this very code, and may not import actors (README).
"""

from tocsin.templates.catalogue import Catalogue
from tocsin.templates.choose import Choose, Wanted
from tocsin.templates.content import Content
from tocsin.templates.fingerprint import content_hash, data_hash
from tocsin.templates.renderer import Renderer, TemplateMissing, versions_of
from tocsin.templates.version import Chosen, Version

__all__ = [
    "Catalogue", "Choose", "Chosen", "Content", "Renderer", "TemplateMissing", "Version", "Wanted",
    "content_hash", "data_hash", "versions_of",
]  # fmt: skip
