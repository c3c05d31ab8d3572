"""Every key of params.yaml with every kind of wrong value, and files that are no parameters at all."""

import math
import string
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.common.errors import InputError
from stages.common.settings import SECTIONS, check_file, check_section
from tests.run_with_limits import ending_of

with open("params.yaml") as file:
    VALUES = yaml.safe_load(file)
KEYS = [(section, key) for section, values in VALUES.items() for key in values]
BAD = {
    "null": None, "true": True, "text": "text", "empty text": "", "unicode": "ﬁt​\u202e💥", "long text": "x" * 100_000,
    "zero byte": "a\0b", "surrogate": "\ud800", "nan": math.nan, "inf": math.inf, "-inf": -math.inf, "zero": 0,
    "negative": -1, "huge": 10**30, "beyond float": 10**400, "beyond digits": 10**5000, "largest": 1e308,
    "smallest": 5e-324, "half": 0.5, "list": [], "list of lists": [[[]]], "long list": [1] * 100_000, "mapping": {},
    "mixed": [1, "a", None, {}], "bytes": b"\xff", "numeral": "1", "path": "/", "too long a name": "n/" + "x" * 300,
}  # fmt: skip


def refused(section: str, values: object) -> bool:
    try:
        check_section(section, values)
    except InputError as error:
        message = str(error)
    else:
        return False
    assert "\n" not in message
    assert message.startswith(f"params.yaml: {section}") or "section" in message, message
    assert len(message) < 500, message
    return True


def test_each_key_with_each_wrong_value(count):
    for section, key in KEYS:
        verdicts = {name: refused(section, {**VALUES[section], key: value}) for name, value in BAD.items()}
        assert sum(verdicts.values()) > len(BAD) / 2, (section, key, verdicts)
        for name in ("null", "nan", "inf", "-inf", "mapping", "bytes", "beyond float", "surrogate", "mixed"):
            assert verdicts[name], (section, key, name)
        assert refused(section, {name: value for name, value in VALUES[section].items() if name != key})
    count("bad inputs tried", len(KEYS) * (len(BAD) + 1))


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9) | st.integers(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@pytest.mark.parametrize("examples", [300, pytest.param(20_000, marks=pytest.mark.full)])
def test_any_section_is_taken_or_refused_in_one_line(examples, count):
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(SECTIONS)), NESTED, st.dictionaries(st.sampled_from(KEYS), NESTED, max_size=3))
    def trial(section, values, changes):
        refused(section, values)
        refused(section, {**VALUES[section], **{key: value for (_, key), value in changes.items()}})

    trial()
    count("bad inputs tried", 2 * examples)


LAUGHS = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghij", "bcdefghijk", strict=True))
FILES = {
    "aliases": f"a: &a [ha]\n{LAUGHS}\ncurve: {{samples: *k}}\n",
    "merges": "a: &a {x: 1}\n" + "".join(f"{c}: &{c} {{<<: [*a, *a]}}\n" for c in "bcd"),
    "alias to itself": "curve: &a {samples: *a}\n",
    "deep lists": "[" * 50_000,
    "deep mappings": "{a: " * 20_000,
    "deep blocks": "- " * 40_000,
    "many keys": "curve: {" + ", ".join(f"k{i}: 1" for i in range(9_000)) + "}",
    "one key many times": "curve: {" + ", ".join(["k: 1"] * 9_000) + "}",
    "sixties": "curve: {samples: " + "1:" * 40_000 + "1}",
    "digits": "curve: {samples: " + "9" * 90_000 + "}",
    "hex digits": "curve: {samples: 0x" + "f" * 90_000 + "}",
    "huge": "#" * 200_000_000,
    "empty int": "curve: {samples: !!int ''}",
    "no boolean": "curve: {samples: !!bool maybe}",
    "no time": "curve: {samples: !!timestamp soon}",
    "no date": "curve: {samples: 2001-99-99}",
    "binary": "curve: {samples: !!binary '*'}",
    "set": "curve: !!set {a, b}",
    "pairs": "curve: !!omap [a: 1]",
    "python": "curve: !!python/object/apply:os.system ['true']",
    "python name": "curve: !!python/name:os.system",
    "own tag": "curve: !mine {a: 1}",
    "odd keys": "? [a, b]\n: 1\n",
    "numbered": "1: {}\n",
    "nothing": "null: {}\n",
    "tab": "curve:\n\tsamples: 1\n",
    "two documents": "a: 1\n---\nb: 1\n",
    "control": "curve: {samples: \x07}\n",
    "surrogate": 'map_page: {title: "\\uD800"}\n',
}
BYTES = {"utf-16": "curve: {}\n".encode("utf-16"), "no text": bytes(range(256)), "latin": b"curve: {formula: \xe9}\n"}


def check(path: str) -> None:
    check_file(path)


@pytest.mark.parametrize("name", [*FILES, *BYTES])
def test_a_file_that_is_no_parameters(tmp_path, name, count):
    content = BYTES[name] if name in BYTES else FILES[name].encode()
    (tmp_path / "params.yaml").write_bytes(content)
    ending = ending_of(check, "params.yaml", folder=tmp_path)
    assert ending.refusal
    assert len(ending.refusal) < 1500
    assert ending.seconds < 20
    count("bad inputs tried")


@pytest.mark.parametrize("examples", [100, pytest.param(5_000, marks=pytest.mark.full)])
def test_any_text_is_taken_or_refused_in_one_line(tmp_path, examples, count):
    path = tmp_path / "params.yaml"
    pieces = st.sampled_from(
        ["curve", ":", " ", "\n", "&a", "*a", "!!", "[", "]", "{", "}", "-", "'", '"', "|", "<<", "?", "#", "%"]
    )

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(pieces | st.text(string.printable, max_size=3), max_size=30).map("".join) | st.binary(max_size=40))
    def trial(content):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        start = time.process_time()
        with pytest.raises(InputError) as caught:
            check_file(str(path))
        assert "\n" not in str(caught.value)
        assert time.process_time() - start < 2

    trial()
    count("bad inputs tried", examples)
