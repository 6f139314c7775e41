"""Documents as people write them: read with lines, refused with reasons, told apart."""

import contextlib

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from governance.configuration import dump, exporting
from governance.documents import ConfigurationError, Source, changes, digest, parse, schemas

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


def refusals(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        parse(text, file="file.yaml")
    return [str(problem) for problem in refused.value.problems]


def broken(text: str) -> dict[str, str]:
    """What the baselines' schema has to say, by line and place."""
    found = schemas.problems(parse(text, file="f"), schemas.BASELINES)
    return {f"{problem.line} {problem.place}": problem.reason for problem in found}


def policy(body: str) -> str:
    """A file with one policy, which begins in line 5."""
    start = "version: 1\ngroups:\n  acme:\n    policies:\n"
    return start + "".join(f"      {line}\n" for line in body.splitlines())


@pytest.mark.parametrize("text", ["2.10", "1:30", "2026-12-31", "on", "no", "007", "1_000", "1e3", "0x1f"])
def test_a_version_or_date_stays_the_text_that_it_is(text: str) -> None:
    assert parse(f"value: {text}", file="f").data == {"value": text}


def test_each_value_knows_its_line() -> None:
    source = parse("a: 1\nb:\n  - c\n  - d: e\n", file="f")
    assert source.lines[("b", 1, "d")] == 4
    assert source.problem(("b", 1, "missing"), "why").line == 4


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    assert refusals("a: 1\nb: 2\na: 3\n") == ["file.yaml:3: a: “a” stands here twice"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1,\n", 2),
        ("a: !!python/object:os.system x\n", 1),
        ("x: 1\ny: &a [*a]\n", 2),
        ("a: !!int b", 1),
    ],
)
def test_what_is_no_plain_document_is_refused_with_its_line(text: str, line: int) -> None:
    assert refusals(text)[0].startswith(f"file.yaml:{line}: ")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("range: >=1.2\n", 1, 'put a range such as ">=1.2" in quotes'),
        ("rules: [{range: >=2.0}]\n", 1, 'put a range such as ">=1.2" in quotes'),
        ("range: >2\n", 1, "of which there is none: put the value in quotes"),
        ("range: !=1.2\n", 1, "the tag “!=1.2” isn't allowed"),
        ("range: !=1.2,!=1.3\n", 1, "“!” begins a tag: put the value in quotes"),
        ("a: !!int b\n", 1, "the tag “!!int” isn't allowed on “b”"),
        ("a: !foo [b]\n", 1, "the tag “!foo” isn't allowed here"),
        ("a: 1\nrange: [1.0,2.0)\nname: x\n", 3, "the “]” for the “[” in line 2; put a range"),
        ("a: 1\nrange: [1.0,2.0)\n", 2, "“[” has no “]”"),
        (
            '{\n "a": 1,\n "b": 2\n "c": 3\n}',
            4,
            "a “,” is missing before this, or the “}” for the “{” in line 1",
        ),
        ("a: {b: 1\nc: 2\n", 2, "the “}” for the “{” in line 1"),
        ("a: {b: 1\n", 1, "“{” has no “}”"),
        ("a: [1,\n", 2, "the text ends before “[” or “{” is closed"),
        ("[1,,2]\n", 1, "nothing stands before this “,”"),
        ("tenants: *\n", 1, 'put "*", and what begins with it, in quotes'),
        ("tenants: *all\n", 1, "“*all” refers to nothing"),
        ("a: &\n", 1, "“&” gives a name to what follows"),
        ("name: @x\n", 1, "no value begins with “@”"),
        ("name: ,x\n", 1, "no value begins with “,”"),
        ("a:\n\tb: 1\n", 2, "use spaces"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "the quotation mark that opens here"),
        ('a: "\\y"\n', 1, "“\\” begins an escape"),
        ('a: "C:\\users"\n', 1, "“\\” begins an escape"),
        ("a:\n  b: 1\n c: 2\n", 3, "indented as its neighbours are"),
        ("a:\n  b: 1\n  - c\n", 3, "a list item stands among keys"),
        ("- a\nb: 1\n", 2, "a key stands among list items"),
        ("a: b: c\n", 1, "no “:” is expected here"),
        ("a: - b\n", 1, "no list item is expected here"),
        ("a: ? b\n", 1, "no key is expected here"),
        ("a: 1\nb:2\nc: 3\n", 2, "a “:” with a space after it is missing"),
        ("a: 'b' c\n", 1, "where the value has ended"),
        ('{"a": 1}}\n', 1, "where the value has ended"),
        ("a: 1\n---\nb: 2\n", 2, "begins a second document"),
        ("%x\n", 2, "expected '<document start>'"),
        ("a: 1\nb: \x07\n", 2, "U+0007"),
        ('a: 1\nb: "\\U00110000"\n', 2, "a number that is too large"),
        ('a: "\\UFFFFFFFF"\n', 1, "a number that is too large"),
    ],
)
def test_what_is_no_yaml_is_refused_where_it_begins_and_says_how_to_mend_it(
    text: str, line: int, reason: str
) -> None:
    [refused] = refusals(text)
    assert refused.startswith(f"file.yaml:{line}: ")
    assert reason in refused


@given(
    st.lists(
        st.sampled_from([*" \n\t\x00\x1b-:,[]{}#&*!|>'\"%@`?ab1\ud800\ufeff", "\\U", "FFFF", "%YAML 1"])
    ).map("".join)
)
@example("%YAML 1." + "9" * 5_000 + "\n--- a")
def test_whatever_is_no_document_is_refused_as_one(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        parse(text, file="f")


def test_aliases_cannot_grow_a_document_without_end() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    assert "more than" in refusals(f"l0: &l0 [x]\n{levels}\n")[0]


def test_deep_nesting_is_refused() -> None:
    assert "goes deeper than can be read" in refusals("[" * 5_000)[0]


@given(JSON)
@example("\x85 \u2028\u2029")
def test_what_is_written_reads_back_as_the_same_document(document: object) -> None:
    assert parse(exporting.dump({"document": document}), file="f").data == {"document": document}


def test_an_unknown_key_is_named_with_the_one_that_was_meant() -> None:
    found = broken(policy("- name: a\n  profile: p\n  tenents: '*'\n  tenants: '*'\n  rules: []"))
    assert found == {"7 groups.acme.policies[0].tenents": "unknown key “tenents”; did you mean “tenants”?"}


def test_a_wrong_type_says_what_is_wanted_and_what_is_there() -> None:
    found = broken(policy("- {name: a, profile: p, tenants: '*', weight: heavy, rules: {}}"))
    assert found == {
        "5 groups.acme.policies[0].weight": 'must be a whole number, not "heavy"',
        "5 groups.acme.policies[0].rules": "must be a list, not {}",
    }


def test_a_number_where_a_version_belongs_is_asked_to_be_quoted() -> None:
    found = broken(
        policy(
            "- name: a\n  profile: p\n  tenants: '*'\n  rules:\n  - {name: r, plugins: [crm], at_least: 2}"
        )
    )
    reason = "must be text, not 2; put it in quotes"
    assert found == {"9 groups.acme.policies[0].rules[0].at_least": reason}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{name: r, plugins: [crm], range: '>1', deny: '<1'}", "range and deny exclude each other"),
        ("{name: r, plugins: [crm], at: '1'}", "“at” needs “same” beside it"),
        ("{name: r, plugins: [crm]}", "needs one of range, at_least"),
        ("{name: r, plugins: crm, present: true}", 'must be "*" or a list, not "crm"'),
        ("{name: r, plugins: [crm], present: false}", "must be true, not false"),
        ("{name: r, plugins: [crm], min_age: long}", "isn't of the form"),
        ("{name: r s, plugins: [crm], absent: true}", "isn't of the form"),
        ("{name: r, plugins: [crm], absent: true, severity: grave}", "isn't one of low, medium"),
        ("{plugins: [crm], absent: true}", "“name” is missing"),
    ],
)
def test_a_rule_says_one_thing(rule: str, reason: str) -> None:
    found = broken(policy(f"- name: a\n  profile: p\n  tenants: '*'\n  rules:\n  - {rule}"))
    assert any(told.startswith(reason) for told in found.values()) or any(
        reason in told for told in found.values()
    ), found


@pytest.mark.parametrize("text", ["\\0", "\\ud800"])
def test_a_text_that_the_database_can_not_keep_is_refused(text: str) -> None:
    found = broken(policy(f'- {{name: a, profile: p, tenants: "*", title: "x{text}", rules: []}}'))
    assert any("can't be kept" in told for told in found.values()), found


def test_a_selector_is_refused_where_it_is_wrong() -> None:
    found = broken(policy("- name: a\n  profile: p\n  rules: []\n  tenants:\n    except: {tier: [gold]}"))
    assert found == {
        "9 groups.acme.policies[0].tenants.except.tier": "unknown key “tier”; did you mean “tiers”?"
    }


def test_the_schemas_describe_every_key_for_people() -> None:
    for name in schemas.NAMES:
        for place, key in _properties(schemas.schema(name), name):
            assert "$ref" in key or {"title"} <= key.keys(), place


def _properties(node: object, place: str) -> list[tuple[str, dict[str, object]]]:
    if isinstance(node, list):
        return [found for item in node for found in _properties(item, place)]
    if not isinstance(node, dict):
        return []
    own = [(f"{place}.{key}", value) for key, value in node.get("properties", {}).items()]
    return own + [found for key, item in node.items() for found in _properties(item, f"{place}.{key}")]


def test_entries_with_names_are_told_apart_by_them() -> None:
    before = {"rules": [{"name": "a", "range": ">1"}, {"name": "b", "range": ">1"}]}
    after = {"rules": [{"name": "b", "range": ">2"}, {"name": "c", "range": ">1"}]}
    told = [(change.place, change.kind) for change in changes(before, after)]
    assert told == [("rules[a]", "removed"), ("rules[b].range", "changed"), ("rules[c]", "added")]


def test_a_change_of_order_alone_is_a_change() -> None:
    a, b = {"name": "a"}, {"name": "b"}
    assert [str(change) for change in changes({"r": [a, b]}, {"r": [b, a]})] == [
        'order of r: ["a", "b"] → ["b", "a"]'
    ]


@given(JSON, JSON)
@example({"a": 1}, {"a": True})
@example([{"name": "a"}, {"name": "a"}], [{"name": "a"}])
@example([{"name": {}}], [])
def test_documents_differ_in_some_place_if_and_only_if_they_are_not_the_same(a: object, b: object) -> None:
    assert bool(list(changes(a, b))) == (digest(a) != digest(b))


def test_a_source_without_lines_still_names_the_place() -> None:
    source = Source("request", {"version": 2, "groups": {}})
    (problem,) = schemas.problems(source, schemas.BASELINES)
    assert str(problem) == "request: version: must be 1, not 2"


def test_a_dump_has_no_anchors() -> None:
    shared = {"a": "1"}
    assert "&" not in dump({"x": shared, "y": shared})


@pytest.mark.parametrize("name", schemas.NAMES)
def test_the_schemas_are_published_to_everyone(client: Client, name: str) -> None:
    answer = client.get(f"/schemas/{name}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/schema+json")
    assert answer.json()["$id"] == name


def test_nothing_else_is_published_there(client: Client) -> None:
    assert client.get("/schemas/settings.py").status_code == 404


def test_a_character_in_two_escapes_as_json_writes_it_is_one() -> None:
    assert parse('{"\\ud83d\\ude00": "\\ud83d\\ude00"}', file="f").data == {"😀": "😀"}


def test_what_quotes_half_a_surrogate_pair_can_be_told_anywhere() -> None:
    [told] = refusals('"a\\ud800": 1\n"a\\ud800": 2\n')
    assert told.encode() == "file.yaml:2: a\\ud800: “a\\ud800” stands here twice".encode()
