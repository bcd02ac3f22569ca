"""Templates: versions of words, which one is in use, and how they look."""

import asyncio
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from api.call import Call, answer, service
from api.edition import Addition, deleted, draft, publishing
from api.preview import Preview, preview
from api.schema import described
from api.template_bodies import (
    PreviewBody,
    PublishBody,
    TemplateBody,
    TemplateList,
    TemplateView,
    VersionAdded,
    VersionView,
    version_view,
    view,
)
from tocsin.errors import Invalid, Refused
from tocsin.records import Template
from tocsin.templates import Version
from tocsin.templates.admit import admit
from tocsin.templates.built_in import WORDS
from tocsin.templates.catalogue import version_of
from tocsin.templates.version import BUNDLED

router = APIRouter(tags=["templates"])

_WRITE: Final = ["templates:write"]
_READ: Final = ["templates:read"]
Writer = Annotated[Call, Depends(service(*_WRITE))]
Reader = Annotated[Call, Depends(service(*_READ, *_WRITE))]

_PLACE: Final = "/v1/templates/{template_id}"


@router.get("/v1/templates", **described(None, TemplateList, 200, _READ))
async def list_templates(call: Reader) -> Response:
    """Every template with its versions, without their words."""
    made = {template.template_id: template for template in call.services.catalogue}
    names = sorted(made.keys() | WORDS.keys())
    return answer(TemplateList([view(name, made.get(name)) for name in names]))


@router.post("/v1/templates", **described(TemplateBody, VersionAdded, 201, _WRITE, also=[200]))
async def add_version(call: Writer) -> Response:
    """Make a template with a first version, or add one to it. It is used once it is published.

    Everything is tried here: 422 names the locale, the channel, the part and the line. The newest
    version sent again is 200. At most 20 versions and 900 kB are kept: the oldest not in use goes.
    """
    body = await call.body(TemplateBody)
    now = call.services.clock.now()
    wanted = draft(body, now)
    # compiling fifty locales takes a while, and others want answers meanwhile
    await asyncio.to_thread(admit, body.template_id, wanted, call.services.renderer)
    step = Addition(body.template_id, wanted)
    template = await call.services.wording.change(body.template_id, step, now)
    added = VersionAdded(body.template_id, step.number, template.published, step.dropped)
    place = f"/v1/templates/{quote(body.template_id, safe='')}/versions/{step.number}"
    return answer(added, 201 if step.new else 200, Location=place)


@router.get(_PLACE, **described(None, TemplateView, 200, _READ))
async def read_template(template_id: str, call: Reader) -> Response:
    """One template, bundled ones too."""
    return answer(view(template_id, await _there(call, template_id)))


@router.get(_PLACE + "/versions/{number}", **described(None, VersionView, 200, _READ))
async def read_version(template_id: str, number: int, call: Reader) -> Response:
    """One version with its words; 0 is the bundled one."""
    template = await _there(call, template_id)
    return answer(version_view(template_id, _version(template_id, template, number).record))


@router.post(_PLACE + ":publish", **described(PublishBody, TemplateView, 200, _WRITE))
async def publish_version(template_id: str, call: Writer) -> Response:
    """Have a version used, in every process within a second. Publishing an older one, or 0 for the
    bundled words, is the roll back. What was accepted before keeps the words it was accepted with.
    """
    number = (await call.body(PublishBody)).version
    if await _there(call, template_id) is None and number == BUNDLED:
        return answer(view(template_id, None))

    def step(before: Template | None) -> Template:
        if before is None or not before.versions:
            raise Invalid("version", f"{template_id!r} has only the bundled words, 0")
        return publishing(before, number)

    template = await call.services.wording.change(template_id, step, call.services.clock.now())
    return answer(view(template_id, template))


@router.post(_PLACE + ":preview", **described(PreviewBody, Preview, 200, _READ))
async def preview_template(template_id: str, call: Reader) -> Response:
    """What it would say on every channel: SMS with its parts, push with its bytes, email as text
    and HTML."""
    body = await call.body(PreviewBody)
    template = await _there(call, template_id)
    number = body.version if body.version is not None else _in_use(template_id, template)
    version = _version(template_id, template, number)
    data = version.record.sample if body.data is None else body.data
    locale = body.locale or version.record.default_locale
    return answer(preview(call.services.renderer, version, locale, body.channels, data))


@router.delete(_PLACE, **described(None, None, 204, _WRITE))
async def delete_template(template_id: str, call: Writer) -> Response:
    """Forget every version. Its bundled words, if there are any, are used again; what was accepted
    with a version and is not yet sent fails for want of words, so rather publish 0 first."""
    if await _there(call, template_id) is None:
        raise Refused("not_found", f"{template_id!r} is bundled, and stays")

    def step(before: Template | None) -> Template:
        return deleted(before or Template(template_id, ()))

    await call.services.wording.change(template_id, step, call.services.clock.now())
    return Response(status_code=204)


async def _there(call: Call, template_id: str) -> Template | None:
    """The template, None for one that is only bundled. Raises `Refused` where there is neither."""
    found = await call.services.wording.get(template_id)
    if found is not None and found.versions:
        return found
    if template_id not in WORDS:
        raise Refused("not_found", f"there is no template {template_id!r}")
    return None


def _in_use(template_id: str, template: Template | None) -> int:
    """The published version; where that is none at all, the newest."""
    if template is None or template.published or template_id in WORDS:
        return template.published if template else BUNDLED
    return max(version.number for version in template.versions)


def _version(template_id: str, template: Template | None, number: int) -> Version:
    if number == BUNDLED and template_id in WORDS:
        return WORDS[template_id]
    if (record := version_of(template, number)) is None:
        raise Refused("not_found", f"template {template_id!r} has no version {number}")
    return Version(template_id, record)
