"""The template language: what it can't do, what it says of mistakes, and the texts that ship."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.messages import language, markup, texts
from governance.messages.kinds import PARTS, Kind, placeholders
from governance.messages.language import Placeholders, TooLong
from governance.messages.texts import Texts
from governance.messages.wording import LANGUAGES
from tests.governance.sampled import sample

KNOWN: Placeholders = {"name": "a name", "lines": {"tenant": "a tenant", "says": "words"}}
VALUES = {"name": "Ada <b>", "lines": [{"tenant": "a", "says": "x"}, {"tenant": "b", "says": "y"}]}
SHIPPED = [(kind, tongue) for kind in Kind for tongue in LANGUAGES]


def reasons(source: str) -> list[str]:
    return [str(fault) for fault in language.faults(source, KNOWN)]


def test_values_are_written_and_escaped_in_html_alone() -> None:
    source = "{% for line in lines %}{{ line.tenant }}{% if not forloop.last %}, {% endif %}{% endfor %}"
    source += ": {{ name }}"
    assert reasons(source) == []
    assert language.render(source, VALUES, html=False) == "a, b: Ada <b>"
    assert language.render(source, VALUES, html=True) == "a, b: Ada &lt;b&gt;"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ nome }}", "Line 1: “nome” isn't known; there are name, lines"),
        ("\n\n{{ name.upper }}", "Line 3: “name.upper” isn't known"),
        ("{{ name.__class__ }}", "Line 1: Variables and attributes may not begin with underscores"),
        ("{% load static %}", "Line 1: Invalid block tag"),
        ("a\n{% include 'x' %}", "Line 2: Invalid block tag"),
        ("{% debug %}", "Only if and for are known."),
        ("{{ name|ljust:'999999999' }}", "Line 1: Invalid filter: 'ljust'"),
        ("{{ name|default:secret }}", "“secret” isn't known"),
        ("{% if name %}", "Line 1: Unclosed tag"),
        ("{% if secret == name %}{% endif %}", "“secret” isn't known"),
        (
            "{% for a in lines %}{% for b in lines %}{% endfor %}{% endfor %}",
            "a loop can't stand within a loop",
        ),
        ("{% for a in name %}{% endfor %}", "a loop goes over one of lines"),
        ("{% for a, b in lines %}{% endfor %}", "a loop has one variable"),
        (
            "{% for line in lines %}{{ line.secret }}{% endfor %}",
            "“line.secret” isn't known; line has tenant, says",
        ),
        ("{{ line.tenant }}", "“line.tenant” isn't known"),
        ("x" * 20_001, "longer than 20,000 characters"),
    ],
)
def test_a_mistake_is_named_with_its_line(source: str, said: str) -> None:
    assert any(said in reason for reason in reasons(source))


@given(st.text(max_size=200) | st.from_regex(r"(\{[{%] ?[a-z_.|:']{0,12} ?[}%]\}|<[a-z/!?]{0,6}>?){0,6}"))
def test_no_text_is_too_odd_to_be_judged(source: str) -> None:
    if not language.faults(source, KNOWN):
        language.render(source, VALUES, html=True)
    markup.faults(source)


@given(st.text(max_size=40))
def test_no_value_gets_markup_into_html(value: str) -> None:
    made = language.render("<p>{{ name }}</p>", {"name": value}, html=True)
    assert "<" not in made.removeprefix("<p>").removesuffix("</p>")
    assert markup.faults(made) == []


def test_only_plain_values_reach_a_template() -> None:
    for value in (object(), KNOWN.items, {"a": object()}, 1.5):
        with pytest.raises(TypeError, match="no plain value"):
            language.render("{{ name }}", {"name": value}, html=False)


def test_a_message_does_not_grow_without_end() -> None:
    source = "{% for line in lines %}" + "x" * 10_000 + "{% endfor %}"
    with pytest.raises(TooLong):
        language.render(source, {"lines": [{}] * 50}, html=False)


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<script>x</script>", "<script> can't be used"),
        ("<p>\n<img src=x></p>", "Line 2: <img> can't be used"),
        ('<p onclick="x">a</p>', "<p> can't have “onclick”"),
        ('<a href="javascript:alert(1)">a</a>', "a link leads to"),
        ('<a href="{{ name }}">a</a>', "a link leads to"),
        ('<a href="https://example.org/{{ name }}">a</a>', "a link leads to"),
        ("<{{ name }}>", "“<” is written as &lt;"),
        ("<p>a", "<p> isn't closed"),
        ("<p><strong>a</p></strong>", "closes nothing that is open here"),
        ("<!-- a -->", "a comment is written as"),
        ("<!doctype html>", "a declaration can't be used"),
        ("<?php x ?>", "an instruction can't be used"),
        ("<p style='x'>a</p>", "<p> can't have “style”"),
    ],
)
def test_html_is_text_tables_and_links_alone(html: str, said: str) -> None:
    assert any(said in str(fault) for fault in markup.faults(html))


@pytest.mark.parametrize(("kind", "tongue"), SHIPPED)
def test_what_ships_is_without_faults_in_both_languages(kind: Kind, tongue: str) -> None:
    shipped = texts.shipped(kind, tongue)
    assert texts.faults(kind, shipped) == {}
    message = texts.write(shipped, sample(kind))
    assert message.subject
    assert message.text
    assert markup.faults(message.html, links=frozenset({sample(kind)["link"]})) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_both_languages_tell_the_same(kind: Kind) -> None:
    used = [_used(kind, tongue) for tongue in LANGUAGES]
    assert used[0] == used[1]


def _used(kind: Kind, tongue: str) -> dict[str, set[str]]:
    """The placeholders without which a template has a fault, by part."""
    shipped = texts.shipped(kind, tongue)
    known = placeholders(kind)
    return {
        part: {
            name
            for name in known
            if language.faults(getattr(shipped, part), {k: v for k, v in known.items() if k != name})
        }
        for part in PARTS
    }


def test_chinese_is_written_in_chinese() -> None:
    for kind in Kind:
        told = texts.write(texts.shipped(kind, "zh"), sample(kind))
        for part in PARTS:
            assert any("\u4e00" <= letter <= "\u9fff" for letter in getattr(told, part)), (kind, part)


def test_a_language_that_is_not_there_is_english() -> None:
    assert texts.shipped(Kind.REMINDER, "fr") == texts.shipped(Kind.REMINDER, "en")


@pytest.mark.parametrize("broken", ["{{ name.__x }}", "{% for %}", "   "])
def test_a_template_of_its_own_that_fails_keeps_nobody_from_being_told(broken: str) -> None:
    values: dict[str, Any] = sample(Kind.REMINDER)
    told = texts.written(Kind.REMINDER, "en", Texts(broken, broken, broken), values)
    assert told == texts.write(texts.shipped(Kind.REMINDER, "en"), values)
