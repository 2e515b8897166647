"""Suite files that are refused, each with the whole text that is said of it."""

from __future__ import annotations

# What stands between the version and a case, so that an example is no longer than it must be.
HEAD = "version: 1\ncases:\n"


def one(keys: str) -> str:
    """A suite of one case, made of lines of YAML."""
    return HEAD + "".join(
        f"{'  - ' if i == 0 else '    '}{line}\n" for i, line in enumerate(keys.splitlines())
    )


X = "expr: x**2\nat: {x: 3}\n"

# Texts that are no YAML, or more than a suite may hold of it.
YAML = {
    "": """\
error[empty-suite]: there is nothing in this file
 --> a.yaml:1:1
  |\x20
  | ^
  = help: a suite begins with `version: 1`""",
    "# only a comment\n": """\
error[empty-suite]: there is nothing in this file
 --> a.yaml:1:1
  | # only a comment
  | ^
  = help: a suite begins with `version: 1`""",
    "version: 1\ncases: [{expr: x": """\
error[bad-yaml]: this is not YAML: while parsing a flow mapping: did not find expected ',' or '}'
 --> a.yaml:2:9
  | cases: [{expr: x
  |         ^""",
    "version: 1\ncases: [{expr: x\nname: y\n": """\
error[bad-yaml]: this is not YAML: while parsing a flow mapping: did not find expected ',' or '}'
 --> a.yaml:3:5
  | name: y
  |     ^
  = help: the bracket that is open here stands at line 2, column 9""",
    "version: 1\nname: 'x": """\
error[bad-yaml]: this is not YAML: while scanning a quoted scalar: found unexpected end of stream
 --> a.yaml:2:7
  | name: 'x
  |       ^""",
    "version: 1\nname: a: b\n": """\
error[bad-yaml]: this is not YAML: mapping values are not allowed in this context
 --> a.yaml:2:8
  | name: a: b
  |        ^
  = help: put quotes around a text in which a colon and a blank stand; keys of one mapping begin in one column""",
    "version: 1\nname: @x\n": """\
error[bad-yaml]: this is not YAML: while scanning for the next token: found character that cannot start any token
 --> a.yaml:2:7
  | name: @x
  |       ^
  = help: put quotes around a text that begins with `@`""",
    "version: 1\ncases:\n\t- expr: x\n": """\
error[bad-yaml]: this is not YAML: while scanning for the next token: found character that cannot start any token
 --> a.yaml:3:1
  | \N{REPLACEMENT CHARACTER}- expr: x
  | ^
  = help: YAML is indented with blanks, not with tabs""",
    "version: 1\nname: a\x07b\n": """\
error[bad-yaml]: this is not YAML: the character U+0007 cannot stand in it
 --> a.yaml:2:8
  | name: a\N{REPLACEMENT CHARACTER}b
  |        ^""",
    "version: 1\n---\nversion: 1\n": """\
error[many-documents]: a suite file holds one YAML document, and here begins another
 --> a.yaml:2:1
  | ---
  | ^^^""",
    one(X + "name: !!str x").replace("name", "skip"): """\
error[yaml-tag]: the tag `tag:yaml.org,2002:str` is not accepted: a suite holds plain data
 --> a.yaml:5:11
  | skip: !!str x
  |       ^^^^^^^""",
    one("expr: !!python/object:os.system x\nat: {x: 1}"): """\
error[yaml-tag]: the tag `tag:yaml.org,2002:python/object:os.system` is not accepted: a suite holds plain data
 --> a.yaml:3:11
  | - expr: !!python/object:os.system x
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    one("expr: x*y\nat: {x: &a 1, y: *a}"): """\
error[yaml-anchor]: the anchor `&a` names a single value: write the value where it is wanted
 --> a.yaml:4:13
  | at: {x: &a 1, y: *a}
  |         ^^^^""",
    one("expr: *x\nat: {x: 1}"): """\
error[yaml-anchor]: `*x` names no anchor
 --> a.yaml:3:11
  | - expr: *x
  |         ^^
  = help: put quotes around a text that begins with `*`""",
    one("expr: x\nat: &a {x: *a}"): """\
error[yaml-anchor]: `*a` stands inside what it names
 --> a.yaml:4:16
  | at: &a {x: *a}
  |            ^^""",
    one("expr: x\nat: {[1, 2]: 3, {}: 4, x: 1}"): """\
error[wrong-type]: a key must be a name, not a list
 --> a.yaml:4:10
  | at: {[1, 2]: 3, {}: 4, x: 1}
  |      ^^^^^^
error[wrong-type]: a key must be a name, not a mapping
 --> a.yaml:4:21
  | at: {[1, 2]: 3, {}: 4, x: 1}
  |                 ^^""",
    one(X + "expr: x**3"): """\
error[duplicate-key]: `expr` stands twice in one mapping
 --> a.yaml:5:5
  | expr: x**3
  | ^^^^""",
}

# Keys that are missing, unknown, or in conflict.
KEYS = {
    HEAD + "  - {expr: clamp(x, 0), at: {x: 1}}\n": """\
error[syntax]: this is not an expression: '(' was never closed
 --> a.yaml:3:17
  | - {expr: clamp(x, 0), at: {x: 1}}
  |               ^
error[unknown-key]: no key named `0)` in a case
 --> a.yaml:3:21
  | - {expr: clamp(x, 0), at: {x: 1}}
  |                   ^^
  = help: a comma between { and } ends a text: write a text that holds one in quotes""",
    "name: x\n": """\
error[missing-key]: a suite needs the key `version`
 --> a.yaml:1:1
  | name: x
  | ^^^^
  = help: for example `version: 1`
error[missing-key]: a suite needs the key `cases`
 --> a.yaml:1:1
  | name: x
  | ^^^^
  = help: for example `cases: [{expr: sin(x)**2, at: {x: 3}}]`""",
    "version: 2\ncases: [{expr: x, at: {x: 3}}]\n": """\
error[bad-version]: `version` must be 1, not 2
 --> a.yaml:1:10
  | version: 2
  |          ^""",
    "version: '1'\ncases: []\n": """\
error[wrong-type]: `version` must be 1, not a text
 --> a.yaml:1:10
  | version: '1'
  |          ^^^
error[wrong-type]: `cases` must be a list of cases, not an empty list
 --> a.yaml:2:8
  | cases: []
  |        ^^""",
    "- expr: x\n": """\
error[wrong-type]: a suite must be a mapping, not a list
 --> a.yaml:1:1
  | - expr: x
  | ^^^^^^^^^""",
    "version: 1\nname: ' '\ncase: [{expr: x}]\ncases: [3]\nexpr: x\n": """\
error[empty-text]: `name` is empty
 --> a.yaml:2:7
  | name: ' '
  |       ^^^
error[unknown-key]: no key named `case` in a suite
 --> a.yaml:3:1
  | case: [{expr: x}]
  | ^^^^
  = help: did you mean `cases`?
error[wrong-type]: a case must be a mapping, not the number 3
 --> a.yaml:4:9
  | cases: [3]
  |         ^
error[unknown-key]: no key named `expr` in a suite
 --> a.yaml:5:1
  | expr: x
  | ^^^^
  = help: `expr` belongs to a case, under `cases`""",
    one("exper: x**2\nat: {x: 3}"): """\
error[unknown-key]: no key named `exper` in a case
 --> a.yaml:3:5
  | - exper: x**2
  |   ^^^^^
  = help: did you mean `expr`?""",
    one("at: {x: 3}"): """\
error[missing-key]: a case needs the key `expr` or `function`
 --> a.yaml:3:5
  | - at: {x: 3}
  |   ^^
  = help: for example `expr: sin(x)**2` or `function: layers.norm:rms_norm`""",
    one(X + "rtol: 1e-3\nqqq: 1\n<<: {skip: x}"): """\
error[unknown-key]: no key named `rtol` in a case
 --> a.yaml:5:5
  | rtol: 1e-3
  | ^^^^
  = help: write `tol: {rtol: ...}`
error[unknown-key]: no key named `qqq` in a case
 --> a.yaml:6:5
  | qqq: 1
  | ^^^
  = help: known: id, expr, function, at, over, args, wrt, cotangent, dtype, device, matrix, tol, step, tags, skip, xfail, timeout, claim, strict, spec, twin, backward, backward-spec, variants, repeat, order, jacobian, modes, seed, surrogate, expect
error[unknown-key]: no key named `<<` in a case
 --> a.yaml:7:5
  | <<: {skip: x}
  | ^^
  = help: there are no merge keys in YAML 1.2; what all cases share stands in `defaults`""",
    "version: 1\ndefaults: {id: a, xfail: b}\ncases: [{expr: x, at: {x: 1}}]\n": """\
error[unknown-key]: no key named `id` in `defaults`
 --> a.yaml:2:12
  | defaults: {id: a, xfail: b}
  |            ^^
  = help: `id` belongs to a case
error[unknown-key]: no key named `xfail` in `defaults`
 --> a.yaml:2:19
  | defaults: {id: a, xfail: b}
  |                   ^^^^^
  = help: `xfail` belongs to a case""",
    one(X + "skip: a\nxfail: b\ndtype: float32\nmatrix: {dtype: float16}"): """\
error[conflicting-keys]: `skip` and `xfail` exclude each other
 --> a.yaml:6:5
  | xfail: b
  | ^^^^^
error[conflicting-keys]: `matrix` and `dtype` exclude each other
 --> a.yaml:8:5
  | matrix: {dtype: float16}
  | ^^^^^^""",
    one(X + "id: a b"): """\
error[bad-id]: an id is made of letters, digits, `.`, `_` and `-`, at most 100, and begins with neither `.` nor `-`
 --> a.yaml:5:9
  | id: a b
  |     ^^^""",
    one(X + "id: 3"): """\
error[wrong-type]: `id` must be a text, not the number 3
 --> a.yaml:5:9
  | id: 3
  |     ^
  = help: put quotes around it: "3\"""",
    HEAD + "  - {expr: x, at: {x: 1}, id: a}\n  - {expr: x, at: {x: 1}, id: a}\n": """\
error[duplicate-id]: the id `a` is taken: it is that of case 1
 --> a.yaml:4:31
  | - {expr: x, at: {x: 1}, id: a}
  |                             ^""",
    HEAD + "  - {expr: x, at: {x: 1}, id: case-2}\n  - {expr: x, at: {x: 1}}\n": """\
error[duplicate-id]: the id `case-2` is taken: case 2 without an `id` is called so
 --> a.yaml:3:31
  | - {expr: x, at: {x: 1}, id: case-2}
  |                             ^^^^^^""",
}
