"""Which items of a batch the API would not take, and why.

Users and sign-ups have a result each; notifications have an id each, null where refused, and
problem details that point at the items. A batch of which nothing can be taken is a 422.
"""

import re
from typing import Any, Final

from loadtest.replay.calls import Answer, accepted

_UNPROCESSABLE: Final = 422
_ITEM = re.compile(r"#/\w+/(\d+)(?:/(.*))?")


def refusals(
    answer: Answer, what: str, items: int, fine: frozenset[int] = frozenset()
) -> dict[int, str]:
    """Reasons by the item's place in a batch of `items`; statuses in `fine` count as taken.

    Raises `Refused` for an answer that is about the call and not about its items.
    """
    if answer.status == _UNPROCESSABLE:
        return dict.fromkeys(range(items), answer.problem) | _pointed(answer.body or {})
    body = accepted(answer, what)
    if "results" in body:
        return _by_result(body["results"], fine)
    ids = body["notification_ids"]
    missing = {place: "no reason given" for place, given in enumerate(ids) if given is None}
    return missing | _pointed(body)


def _by_result(results: list[dict[str, Any]], fine: frozenset[int]) -> dict[int, str]:
    return {
        place: f"{item['status']}: {item.get('detail', 'no reason given')}"
        for place, item in enumerate(results)
        if item["status"] >= 400 and item["status"] not in fine
    }


def _pointed(body: dict[str, Any]) -> dict[int, str]:
    """Problem details' errors by the item that their JSON Pointer names."""
    found = {}
    for error in body.get("errors", ()):
        if place := _ITEM.fullmatch(error["pointer"]):
            field = f"{place[2]}: " if place[2] else ""
            found[int(place[1])] = field + str(error["detail"])
    return found
