"""Templates, and a preview of one."""

from tests.browser.console_answers.made_up import HOSTILE, Json, at

TEMPLATES: Json = {
    "templates": [
        {
            "template_id": "BACK_IN_STOCK",
            "published": 2,
            "bundled": True,
            "revision": 4,
            "updated_at": at(9_000),
            "versions": [
                {"number": 2, "created_at": at(9_000), "locales": ["de", "en"], "note": "warmer"},
                {"number": 1, "created_at": at(99_000), "locales": ["en"]},
                {"number": 0, "created_at": at(1e7), "locales": ["de", "en", "fr"]},
            ],
        },
        {
            "template_id": "ORDER_UPDATE",
            "published": 0,
            "bundled": True,
            "revision": 0,
            "updated_at": None,
            "versions": [{"number": 0, "created_at": at(1e7), "locales": ["en"]}],
        },
    ]
}


def version(number: int) -> Json:
    return {
        "template_id": "BACK_IN_STOCK",
        "number": number,
        "created_at": at(9_000),
        "default_locale": "en",
        "note": "",
        "variables": {
            "name": {"type": "string"},
            "available": {"type": "integer", "required": False},
        },
        "locales": {"en": {}, "de": {}},
        "sample": {"name": "Cake stand", "available": 24},
    }


MAIL = """<html><head><style>
@media all { .card { background: url(http://elsewhere.example/a.png); color: rgb(1, 2, 3) } }
</style></head><body style="background: #f4f1ea">
<div class="card" style="padding: 24px; border-radius: 12px"><h1 style="margin: 0">SAID</h1>
<p>Only a few are left.</p>
<a href="javascript:window.top.hit=1"
  style="display: inline-block; padding: 10px 18px; background: #d3461e; color: #fff">See it</a>
HOSTILE<img src="http://elsewhere.example/pixel.gif" width="1" height="1">
<img src="http://elsewhere.example/stand.jpg" alt="Cake stand"></div></body></html>"""


def preview(asked: Json) -> Json:
    name = asked["data"]["name"]
    said = f"Es gibt wieder: {name}" if asked["locale"] == "de" else f"{name} is here again"
    html = MAIL.replace("SAID", said).replace("HOSTILE", HOSTILE)
    return {
        "template_id": "BACK_IN_STOCK",
        "version": asked["version"],
        "silent": ["inapp"],
        "channels": {
            "push": {
                "locale": asked["locale"],
                "title": "Back in stock",
                "text": said,
                "link": "https://shop.example/p/22423",
                "bytes": 412,
                "max_bytes": 4_096,
            },
            "sms": {
                "locale": asked["locale"],
                "text": f"{said} https://s.example/c/abc",
                "encoding": "GSM-7",
                "units": 58,
                "parts": 1,
            },
            "email": {
                "locale": asked["locale"],
                "title": said,
                "text": f"{said}.\n\nOnly a few are left.",
                "html": html,
                "bytes": 2_310,
                "max_bytes": 102_400,
                "warnings": ["title cut at 200 characters"],
            },
        },
    }
