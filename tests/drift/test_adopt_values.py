"""A live value in the code: just that literal changes, or it is said why it cannot."""

from __future__ import annotations

from decimal import Decimal
from textwrap import indent

import hcl2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prbot.drift.adopt import Adopted, Code, Wish, adopt
from prbot.plans.plan import Json
from prbot.projects.places import Listed, Literal, Mapped, Node, places

PATH = "live/main.tf"


def resource(body: str) -> str:
    return f'# ours\nresource "x_thing" "r" {{\n{indent(body, "  ")}\n}}\n'


def adopted(text: str, attribute: str, wanted: Json, live: Json) -> Adopted:
    code = Code({PATH: text.encode()}, "live")
    return adopt(code, [Wish("x_thing.r", attribute, wanted, live)])


CASES: dict[str, tuple[str, str, Json, Json, str]] = {
    # --- literals
    "a text": ('a = "old"', "a", "old", "new", 'a = "new"'),
    "with all around it": (
        'first  = 1 # one\na      = "old" // two\nlast   = f(1)',
        "a",
        "old",
        "newer",
        'first  = 1 # one\na      = "newer" // two\nlast   = f(1)',
    ),
    "odd blanks stay": ('a="old"   ', "a", "old", "new", 'a="new"   '),
    "quotes and backslashes": ('a = "x"', "a", "x", 'say "hi" \\ ', 'a = "say \\"hi\\" \\\\ "'),
    "lines": ('a = "x"', "a", "x", "one\ntwo\t\r", 'a = "one\\ntwo\\t\\r"'),
    "what looks like a template": (
        'a = "x"',
        "a",
        "x",
        "${var.k} %{if true} $5 100%",
        'a = "$${var.k} %%{if true} $5 100%"',
    ),
    "a template after a dollar": ('a = "x"', "a", "x", "$${k}", 'a = "$$${k}"'),
    "an escaped template before": ('a = "$${k}"', "a", "${k}", "k", 'a = "k"'),
    "unseen signs are named": (
        'a = "x"',
        "a",
        "x",
        "ab\u202ec\x00\U000e0001",
        'a = "ab\\u202Ec\\u0000\\U000E0001"',
    ),
    "letters of any language": ('a = "x"', "a", "x", "größe 大", 'a = "größe 大"'),
    "a number": ("a = 5", "a", 5, 60, "a = 60"),
    "a negative number": ("a = -5", "a", -5, -6, "a = -6"),
    "a fraction": ("a = 0.5", "a", Decimal("0.5"), Decimal("0.25"), "a = 0.25"),
    "a large number": ("a = 1", "a", 1, Decimal("1E+3"), "a = 1000"),
    "a bool": ("a = true", "a", True, False, "a = false"),
    "a number that stood as text": ('a = "5"', "a", 5, 6, 'a = "6"'),
    "a bool that stood as text": ('a = "true"', "a", True, False, 'a = "false"'),
    "a text that stood as number": ("a = 5", "a", "5", "6", "a = 6"),
    "a text that is no number any more": ("a = 5", "a", "5", "007", 'a = "007"'),
    "a text that stood as bool": ("a = true", "a", "true", "false", "a = false"),
    "null becomes a text": ("a = null", "a", None, "new", 'a = "new"'),
    "null becomes an object": (
        "a = null",
        "a",
        None,
        {"k": "v"},
        'a = {\n  k = "v"\n}',
    ),
    "a text becomes null": ('a = "old" # why', "a", "old", None, "a = null # why"),
    "the expression in parentheses is left": (
        'a = ("old")',
        "a",
        "old",
        "new",
        '3: the value of `a` comes from `("old")`',
    ),
    # --- heredocs
    "a heredoc": (
        "a = <<EOT\nold\n  line\nEOT\nb = 1",
        "a",
        "  old\n    line\n",
        "  new ${x}\n",
        "a = <<EOT\nnew $${x}\nEOT\nb = 1",
    ),
    "an indented heredoc": (
        "a = <<-EOT\n  old\n    line\nEOT",
        "a",
        "old\n  line\n",
        "new\n  more\nlast\n",
        "a = <<-EOT\n  new\n    more\n  last\nEOT",
    ),
    "a heredoc without its last line end": (
        "a = <<-EOT\n  old\nEOT",
        "a",
        "old\n",
        "new",
        'a = "new"',
    ),
    "a heredoc that would end early": (
        "a = <<-EOT\n  old\nEOT",
        "a",
        "old\n",
        "EOT\nx\n",
        'a = "EOT\\nx\\n"',
    ),
    # --- objects
    "a key of an object": (
        'tags = {\n  Team = "a" # owner\n  Name = "x"\n}',
        "tags",
        {"Team": "a", "Name": "x"},
        {"Team": "b", "Name": "x"},
        'tags = {\n  Team = "b" # owner\n  Name = "x"\n}',
    ),
    "beside a computed one": (
        'tags = { Name = var.n, Team = "a" }',
        "tags",
        {"Name": "x", "Team": "a"},
        {"Name": "x", "Team": "b"},
        'tags = { Name = var.n, Team = "b" }',
    ),
    "the computed one itself": (
        'tags = { Name = var.n, Team = "a" }',
        "tags",
        {"Name": "x", "Team": "a"},
        {"Name": "y", "Team": "a"},
        "3: the value of `Name` comes from `var.n`",
    ),
    "a key more": (
        'tags = {\n  Team = "a"\n  Name = "x"\n}',
        "tags",
        {"Team": "a", "Name": "x"},
        {"Team": "a", "Name": "x", "Env": "p"},
        'tags = {\n  Team = "a"\n  Name = "x"\n  Env  = "p"\n}',
    ),
    "a key more, with commas": (
        'tags = {\n  Team = "a", # one\n  Name = "x", # two\n}',
        "tags",
        {"Team": "a", "Name": "x"},
        {"Team": "a", "Name": "x", "Env": "p"},
        'tags = {\n  Team = "a", # one\n  Name = "x", # two\n  Env  = "p",\n}',
    ),
    "a longer key more moves no other": (
        'tags = {\n  Team = "a"\n}',
        "tags",
        {"Team": "a"},
        {"Team": "a", "Environment": "p"},
        'tags = {\n  Team = "a"\n\n  Environment = "p"\n}',
    ),
    "a key more, in one line": (
        'tags = { Team = "a" }',
        "tags",
        {"Team": "a"},
        {"Team": "a", "a b": "p", "for": "q"},
        'tags = { Team = "a", "a b" = "p", "for" = "q" }',
    ),
    "a key more, with colons": (
        'tags = { "Team": "a" }',
        "tags",
        {"Team": "a"},
        {"Team": "a", "Env": "p"},
        'tags = { "Team": "a", "Env": "p" }',
    ),
    "the first key": ("tags = {}", "tags", {}, {"Env": "p"}, 'tags = {\n  Env = "p"\n}'),
    "a key less": (
        'tags = {\n  Team = "a"\n  Env  = "p"\n  Name = "x"\n}',
        "tags",
        {"Team": "a", "Env": "p", "Name": "x"},
        {"Team": "a", "Name": "x"},
        'tags = {\n  Team = "a"\n  Name = "x"\n}',
    ),
    "a key less, its comment stays": (
        'tags = {\n  Team = "a"\n  Env  = "p" # for billing\n}',
        "tags",
        {"Team": "a", "Env": "p"},
        {"Team": "a"},
        'tags = {\n  Team = "a"\n   # for billing\n}',
    ),
    "a key less, in one line": (
        'tags = { Team = "a", Env = "p" }',
        "tags",
        {"Team": "a", "Env": "p"},
        {"Team": "a"},
        'tags = { Team = "a" }',
    ),
    "the first key less, in one line": (
        'tags = { Team = "a", Env = "p" }',
        "tags",
        {"Team": "a", "Env": "p"},
        {"Env": "p"},
        'tags = { Env = "p" }',
    ),
    "another key": (
        'tags = { Team = "a", Env = "p" }',
        "tags",
        {"Team": "a", "Env": "p"},
        {"Team": "a", "Stage": "p"},
        'tags = { Team = "a", Stage = "p" }',
    ),
    "all keys gone": (
        'tags = { Team = "a", Env = "p" }',
        "tags",
        {"Team": "a", "Env": "p"},
        None,
        "tags = {  }",
    ),
    "an object within": (
        'a = { b = { c = "x", d = 1 } }',
        "a",
        {"b": {"c": "x", "d": 1}},
        {"b": {"c": "y", "d": 1}},
        'a = { b = { c = "y", d = 1 } }',
    ),
    "a computed key": (
        'tags = { (var.k) = "a" }',
        "tags",
        {"Team": "a"},
        {"Team": "b"},
        "3: a key of `tags` is computed",
    ),
    "an object that a function makes": (
        'tags = merge(local.tags, { Team = "a" })',
        "tags",
        {"Team": "a"},
        {"Team": "b"},
        '3: the value of `tags` comes from `merge(local.tags, { Team = "a" })`',
    ),
    # --- lists
    "an entry of a list": ("a = [80, 443]", "a", [80, 443], [80, 8443], "a = [80, 8443]"),
    "an entry more": ("a = [80, 443]", "a", [80, 443], [80, 443, 1], "a = [80, 443, 1]"),
    "an entry more, in its place": ("a = [1, 3]", "a", [1, 3], [1, 2, 3], "a = [1, 2, 3]"),
    "an entry more, at the front": ("a = [1, 3]", "a", [1, 3], [0, 1, 3], "a = [0, 1, 3]"),
    "an entry more, in lines": (
        'a = [\n  "x", # one\n  "y"\n]',
        "a",
        ["x", "y"],
        ["x", "y", "z"],
        'a = [\n  "x", # one\n  "y",\n  "z"\n]',
    ),
    "an entry more, with a comma behind": (
        'a = [\n  "x",\n  "z",\n]',
        "a",
        ["x", "z"],
        ["x", "y", "z"],
        'a = [\n  "x",\n  "y",\n  "z",\n]',
    ),
    "the first entry": ("a = []", "a", [], ["x"], 'a = ["x"]'),
    "an entry less": ("a = [1, 2, 3]", "a", [1, 2, 3], [1, 3], "a = [1, 3]"),
    "the last entries less": ("a = [1, 2, 3]", "a", [1, 2, 3], [1], "a = [1]"),
    "no entry left": ("a = [1, 2]", "a", [1, 2], [], "a = []"),
    "an entry less, in lines": (
        'a = [\n  "x",\n  "y", # two\n  "z",\n]',
        "a",
        ["x", "y", "z"],
        ["y", "z"],
        'a = [\n  "y", # two\n  "z",\n]',
    ),
    "a set in another order": (
        'a = ["z", "a"]',
        "a",
        ["a", "z"],
        ["b", "z"],
        'a = ["z", "b"]',
    ),
    "beside a reference": (
        'a = [x_other.o.id, "b"]',
        "a",
        ["i-1", "b"],
        ["i-1", "c"],
        'a = [x_other.o.id, "c"]',
    ),
    "a reference within": (
        'a = [x_other.o.id, "b"]',
        "a",
        ["i-1", "b"],
        ["i-2", "b"],
        "3: the value of `a` comes from `x_other.o.id`",
    ),
    "a list of objects": (
        'a = [{ p = 1, q = "x" }, { p = 2, q = "y" }]',
        "a",
        [{"p": 1, "q": "x"}, {"p": 2, "q": "y"}],
        [{"p": 1, "q": "x"}, {"p": 3, "q": "y"}],
        'a = [{ p = 1, q = "x" }, { p = 3, q = "y" }]',
    ),
    "a list that a loop makes": (
        "a = [for x in var.l : x]",
        "a",
        ["x"],
        ["y"],
        "3: the value of `a` comes from `[for x in var.l : x]`",
    ),
    # --- what the code does not have
    "an attribute more": (
        'name = "x"\nsize = 1',
        "mode",
        None,
        "on",
        'name = "x"\nsize = 1\nmode = "on"',
    ),
    "a longer one moves no other": (
        'name = "x"',
        "description",
        None,
        "d",
        'name = "x"\n\ndescription = "d"',
    ),
    "a shorter one stands in line": (
        'description = "x" # d',
        "tier",
        "",
        "d",
        'description = "x" # d\ntier        = "d"',
    ),
    "before nested blocks": (
        'name = "x"\n\nrule {\n  p = 1\n}',
        "mode",
        None,
        True,
        'name = "x"\nmode = true\n\nrule {\n  p = 1\n}',
    ),
    "an object more": (
        'name = "x"',
        "tags",
        None,
        {"b": "2", "long": "1"},
        'name = "x"\ntags = {\n  b    = "2"\n  long = "1"\n}',
    ),
    "a value that follows from elsewhere": (
        'name = "x"',
        "tags_all",
        {"a": "1"},
        {"a": "2"},
        "2: nothing here gives `tags_all` its value",
    ),
    "a new block": ('name = "x"', "rule", [], [{"p": 1}], "2: `rule` would be a new block"),
    # --- nested blocks
    "in a block": (
        "rule {\n  p = 1\n  q = 2\n}",
        "rule",
        [{"p": 1, "q": 2}],
        [{"p": 9, "q": 2}],
        "rule {\n  p = 9\n  q = 2\n}",
    ),
    "in one of two blocks": (
        "rule {\n  p = 1\n}\nrule {\n  p = 2\n}",
        "rule",
        [{"p": 1}, {"p": 2}],
        [{"p": 1}, {"p": 3}],
        "rule {\n  p = 1\n}\nrule {\n  p = 3\n}",
    ),
    "in a set of blocks in another order": (
        "rule {\n  p = 2\n}\nrule {\n  p = 1\n}",
        "rule",
        [{"p": 1}, {"p": 2}],
        [{"p": 1}, {"p": 3}],
        "rule {\n  p = 3\n}\nrule {\n  p = 1\n}",
    ),
    "an attribute more in a block": (
        "rule {\n  p = 1\n}",
        "rule",
        [{"p": 1, "q": None}],
        [{"p": 1, "q": "x"}],
        'rule {\n  p = 1\n  q = "x"\n}',
    ),
    "in a block within a block": (
        "a {\n  b {\n    c = 1\n  }\n}",
        "a",
        [{"b": [{"c": 1}]}],
        [{"b": [{"c": 2}]}],
        "a {\n  b {\n    c = 2\n  }\n}",
    ),
    "a block less": (
        "rule {\n  p = 1\n}\nrule {\n  p = 2\n}",
        "rule",
        [{"p": 1}, {"p": 2}],
        [{"p": 1}],
        "3: a block `rule` would come or go",
    ),
    "blocks that cannot be told apart": (
        "rule {\n  p = var.p\n}",
        "rule",
        [{"p": 1}, {"p": 2}],
        [{"p": 1}, {"p": 3}],
        "3: which of the blocks `rule` is meant cannot be told",
    ),
    "a dynamic block": (
        'dynamic "rule" {\n  for_each = var.r\n  content {\n    p = rule.value\n  }\n}',
        "rule",
        [{"p": 1}],
        [{"p": 2}],
        "3: a `dynamic` block makes `rule`",
    ),
    # --- what is computed
    "a variable": ("a = var.a", "a", "x", "y", "3: the value of `a` comes from `var.a`"),
    "a local": ("a = local.a", "a", "x", "y", "3: the value of `a` comes from `local.a`"),
    "a function": (
        'a = jsonencode({ k = "v" })',
        "a",
        '{"k":"v"}',
        '{"k":"w"}',
        '3: the value of `a` comes from `jsonencode({ k = "v" })`',
    ),
    "a template": ('a = "x-${var.e}"', "a", "x-p", "y", '3: the value of `a` comes from `"x-${var'),
    "a choice": ("a = true ? 1 : 2", "a", 1, 2, "3: the value of `a` comes from `true ? 1 : 2`"),
    "code that says something else": (
        'a = "third"',
        "a",
        "x",
        "y",
        "3: `a` does not say here what the plan makes of it",
    ),
    # --- several of it
    "count": ("count = 1\na = 1", "a", 1, 2, "3: one block makes several objects (`count`)"),
    "for_each": (
        "for_each = toset([])\na = 1",
        "a",
        1,
        2,
        "3: one block makes several objects (`for_each`)",
    ),
    "no attribute at all": ("a = 1", "lifecycle", None, "x", "2: it is no attribute"),
    # --- secrets
    "a password": ('password = "x"', "password", "x", "y", "3: `password` may be a secret"),
    "a password in an object": (
        'env = { DB_PASSWORD = "x", COLOR = "red" }',
        "env",
        {"DB_PASSWORD": "x", "COLOR": "red"},
        {"DB_PASSWORD": "y", "COLOR": "red"},
        "3: `DB_PASSWORD` may be a secret",
    ),
    "beside a password": (
        'env = { DB_PASSWORD = "x", COLOR = "red" }',
        "env",
        {"DB_PASSWORD": "x", "COLOR": "red"},
        {"DB_PASSWORD": "x", "COLOR": "blue"},
        'env = { DB_PASSWORD = "x", COLOR = "blue" }',
    ),
    "a new key of a secret": (
        'env = { COLOR = "red" }',
        "env",
        {"COLOR": "red"},
        {"COLOR": "red", "apiKey": "x"},
        "3: `apiKey` may be a secret",
    ),
    "a token in camel case": ('a = "x"', "a", "x", "ghp_" + "a1B2" * 9, "3: `a` may be a secret"),
    "a private key": (
        'a = "x"',
        "a",
        "x",
        "-----BEGIN RSA PRIVATE KEY-----\nMII\n",
        "3: `a` may be a secret",
    ),
    "an address with a password": (
        'a = "x"',
        "a",
        "x",
        "postgres://u:pw@db/x",
        "3: `a` may be a secret",
    ),
    "something random": (
        'a = "x"',
        "a",
        "x",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE01",
        "3: `a` may be a secret: it looks random",
    ),
    "an id is none": ('a = "x"', "a", "x", "sg-0123456789abcdef0", 'a = "sg-0123456789abcdef0"'),
    "a resource's name is none": (
        'a = "x"',
        "a",
        "x",
        "arn:aws:iam::123456789012:role/Deploy",
        'a = "arn:aws:iam::123456789012:role/Deploy"',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_writes(case: str) -> None:
    """It changes that literal and nothing else, or says where and why it cannot."""
    body, attribute, wanted, live, expected = CASES[case]
    text = resource(body)
    found = adopted(text, attribute, wanted, live)
    if found.refused:
        (refusal,) = found.refused
        assert f"{refusal.line}: {refusal.why}".startswith(expected)
        assert (refusal.path, bool(refusal.by_hand), found.files) == (PATH, True, {})
    else:
        assert found.files[PATH].decode() == resource(expected)
        assert [wish.attribute for wish in found.done] == [attribute]


# --- the new value is there, and all else is as it was -------------------------------------

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
KEYS = st.from_regex(r"[a-z][a-z_]{0,4}|[A-Z][a-z]{0,3} [a-z]", fullmatch=True)
SCALARS = TEXTS | st.integers(-(10**6), 10**6) | st.booleans()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


def meaning(node: Node | None) -> Json:
    """What a literal expression means, by where things stand."""
    match node:
        case Literal():
            return node.value
        case Listed():
            return [meaning(item.value) for item in node.items]
        case Mapped():
            return {item.key: meaning(item.value) for item in node.items}
    raise AssertionError(node)


def written(value: Json) -> str:
    """The value as somebody else might write it, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{k}" = {written(v)}' for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        signs = "".join(f"\\U{ord(sign):08X}" if sign != "$" else "$" for sign in value)
        return f'"{signs}"'
    return str(value).lower()


def emptied(value: Json) -> Json:
    """The value without what is as good as null."""
    if isinstance(value, dict):
        inner = {key: emptied(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None} or None
    if isinstance(value, list):
        return [emptied(one) for one in value] or None
    return None if value == "" else value


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300, deadline=None)
@given(VALUES, VALUES, VALUES)
def test_says_the_live_value(old: Json, new: Json, other: Json) -> None:
    """It makes code that means the new value there, and the same as before elsewhere."""
    text = resource(f"# before\nother = {written(other)} # beside\na = {written(old)}\nz = [1]")
    found = adopted(text, "a", old, new)
    after = found.files.get(PATH, text.encode()).decode()
    (block,) = places(after).of("resource")
    assert meaning(block.attributes["other"].value) == other
    assert meaning(block.attributes["z"].value) == [1]
    assert ("# before" in after, "# beside" in after) == (True, True)
    if found.files:
        assert emptied(meaning(block.attributes["a"].value)) == emptied(new)
        hcl2.loads(after)
    else:
        assert found.refused or emptied(old) == emptied(new)
