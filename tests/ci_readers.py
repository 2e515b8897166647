"""Readers of what CI services read, as strict as the strictest of them; each answers what it read,
or what is wrong with it.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import xmlschema
import yaml
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parent / "schemas"
XSD = xmlschema.XMLSchema(str(SCHEMAS / "junit.xsd"))


def tree(text: str) -> ET.Element:
    """The root of an XML document that we wrote."""
    return ET.fromstring(text)  # noqa: S314 - nobody else wrote it


def junit_faults(text: str) -> list[str]:
    """What is wrong with a JUnit file: not XML, not to the schema, counts that do not fit, names
    that repeat, half a place.
    """
    try:
        root = tree(text)
    except ET.ParseError as error:
        return [str(error)]
    found = [str(error.reason) for error in XSD.iter_errors(root)]
    children = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for suite in [root, *root.iter("testsuite")]:
        found += [
            f"{key} of {suite.get('name')}"
            for key, tag in children.items()
            if suite.get(key) not in (None, str(len(list(suite.iter(tag)))))
        ]
    # GitLab keeps the first of two test cases with one name.
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    found += [
        f"place of {case.get('name')}"
        for suite in root
        for case in suite.iter("testcase")
        if not _placed(case, suite)
    ]
    return found + ["a name twice"] * (len(set(names)) < len(names))


def _placed(case: ET.Element, suite: ET.Element) -> bool:
    """Whether a test case has the file of its suite and a line there, or neither where that has
    none.
    """
    return case.get("file") == suite.get("file") and (case.get("line") is None) == (
        case.get("file") is None
    )


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """(kind, properties, message) of GitHub's workflow commands, read as its runner reads them;
    other lines are only a log.
    """
    found = re.findall(r"^::(\w+) (.*?)::(.*)$", text, re.MULTILINE)
    return [
        (kind, dict(map(_property, told.split(","))), _plain(message))
        for kind, told, message in found
    ]


def _property(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, _plain(value.replace("%3A", ":").replace("%2C", ","))


def _plain(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


@cache
def validator(name: str) -> Draft202012Validator:
    """The facts of a format that is JSON."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def json_faults(name: str, text: str) -> list[str]:
    """What is wrong with a report for GitLab or in SARIF: the schema, fingerprints that repeat,
    rules that are not there.
    """
    data = json.loads(text)
    found = [error.message for error in validator(name).iter_errors(data)]
    if found:
        return found
    if name == "gitlab":
        prints = [issue["fingerprint"] for issue in data]
    else:
        run = data["runs"][0]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
        found = [
            f"rule {result['ruleId']}"
            for result in run["results"]
            if rules[result["ruleIndex"] : result["ruleIndex"] + 1] != [result["ruleId"]]
        ]
    return found + ["a fingerprint twice"] * (len(set(prints)) < len(prints))


class Point(NamedTuple):
    """A test point of TAP."""

    ok: bool
    description: str
    directive: str
    reason: str
    block: dict[str, Any] | None


def points(text: str) -> list[Point]:
    """The test points of a TAP 14 file.

    Raises:
        ValueError: a line that is none of TAP's, a plan that does not fit, or a block that is not
            YAML.
    """
    lines = re.split("\r\n|\r|\n", text.removesuffix("\n"))
    plan = re.fullmatch(r"1\.\.(\d+)( # .*)?", lines[1])
    if lines[0] != "TAP version 14" or plan is None:
        raise ValueError("no version, or no plan")
    found: list[Point] = []
    rest = iter(lines[2:])
    for line in rest:
        point = re.fullmatch(r"(not )?ok (\d+) - ((?:[^\\]|\\.)*?)(?: # (SKIP|TODO) (.*))?", line)
        if point is not None and int(point[2]) == len(found) + 1:
            found.append(
                Point(
                    point[1] is None,
                    _unescaped(point[3]),
                    point[4] or "",
                    _unescaped(point[5] or ""),
                    None,
                )
            )
        elif line == "  ---" and found and found[-1].block is None:
            found[-1] = found[-1]._replace(block=_block(rest))
        elif not line.startswith(("#", "Bail out!")):
            raise ValueError(f"none of TAP's lines: {line}")
    if len(found) != int(plan[1]):
        raise ValueError("a plan that does not fit")
    return found


def _block(rest: Iterator[str]) -> Any:
    inside = list(takewhile(lambda line: line.startswith("  ") and line != "  ...", rest))
    if not inside:
        raise ValueError("an empty block")
    return yaml.safe_load("\n".join(inside))


def _unescaped(text: str) -> str:
    if re.search(r"(?<!\\)(?:\\\\)*#", text):
        raise ValueError("a # that is not escaped")
    return re.sub(r"\\([\\#])", r"\1", text)
