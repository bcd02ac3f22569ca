"""`python -m api.openapi` prints the OpenAPI document; api/openapi.json is that, committed."""

import json

from api.app import create_app


def text() -> str:
    """The document as it is committed."""
    return json.dumps(create_app().openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
