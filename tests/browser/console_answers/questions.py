"""Questions, and answers to them."""

from typing import Any

from tests.browser.console_answers.made_up import Json

HOURS: Json = {"name": "hours", "type": "UInt32", "default": "24", "about": "how far back"}
QUESTIONS: Json = {
    "questions": [
        {
            "name": "funnel",
            "about": "Of what was accepted, what arrived, was opened, clicked and bought.",
            "parameters": [HOURS],
        },
        {
            "name": "ctr_by_template_version",
            "about": "Clicks per delivery, by people and by all, with 95 % intervals.",
            "parameters": [
                HOURS,
                {"name": "type", "type": "String", "default": "", "about": "of this type"},
            ],
        },
    ]
}


def stat(name: str) -> Json:
    if name == "funnel":
        names = [
            ("channel", "String"),
            ("accepted", "UInt64"),
            ("delivered", "UInt64"),
            ("opened", "UInt64"),
            ("clicked", "UInt64"),
            ("converted", "UInt64"),
        ]
        rows: list[list[Any]] = [
            ["push", 90_000, 88_210, 0, 7_910, 402],
            ["email", 70_000, 69_000, 31_002, 5_120, 377],
        ]
    else:
        names = [
            ("template_id", "String"),
            ("template_version", "UInt32"),
            ("deliveries", "UInt64"),
        ]
        names += [
            (f"{who}ctr{end}", "Float64") for who in ("", "raw_") for end in ("", "_low", "_high")
        ]
        rows = [
            ["BACK_IN_STOCK", 2, 12_004, 0.112, 0.106, 0.118, 0.161, 0.154, 0.168],
            ['=SALE, "now"', 3, 2_100, 0.031, 0.024, 0.039, 0.052, 0.043, 0.062],
        ]
    columns = [{"name": each, "type": kind} for each, kind in names]
    about = next(each["about"] for each in QUESTIONS["questions"] if each["name"] == name)
    return {"name": name, "about": about, "columns": columns, "rows": rows, "truncated": False}
