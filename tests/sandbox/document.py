"""The contract's OpenAPI document, and whether what is said keeps to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import yaml

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "sandbox" / "openapi.yaml").read_text(encoding="utf-8")
)


def check(instance: Any, schema: dict[str, Any]) -> None:
    """Against a schema of the document; OpenAPI 3.1 schemas are JSON Schemas."""
    rooted = {**schema, "components": DOCUMENT["components"]}
    jsonschema.validate(
        instance, rooted, cls=jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker()
    )


def named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def check_answer(operation: dict[str, Any], status: int, kind: str, answer: Any) -> None:
    """Whether the operation may be answered so: the status, the content type and the document."""
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    check(answer, response["content"][kind.split(";")[0]]["schema"])
