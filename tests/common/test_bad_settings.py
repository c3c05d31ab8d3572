"""Wrong settings and damaged settings files are refused with one line."""

import math
import string

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.common.errors import InputError
from stages.common.settings import SECTIONS, check_section, load_params
from tests.run_in_fork import refusal_of

with open("params.yaml") as file:
    VALUES = yaml.safe_load(file)
KEYS = [(section, key) for section, values in VALUES.items() if isinstance(values, dict) for key in values]
BAD = {
    "null": None, "text": "text", "long text": "x" * 100_000, "zero byte": "a\0b", "surrogate": "\ud800",
    "nan": math.nan, "-inf": -math.inf, "negative": -1, "huge": 10**30, "beyond float": 10**400,
    "beyond digits": 10**5000, "smallest": 5e-324, "list of lists": [[[]]], "long list": [1] * 100_000, "mapping": {},
    "mixed": [1, "a", None, {}], "bytes": b"\xff", "numeral": "1",
}  # fmt: skip
NEVER_VALID = ("null", "nan", "-inf", "mapping", "bytes", "beyond float", "surrogate", "mixed")


def refused(section: str, values: object) -> bool:
    """Return whether the values are refused, and check that the message is short and names the section."""
    try:
        check_section(section, values)
    except InputError as error:
        message = str(error)
    else:
        return False
    assert message.startswith(f"params.yaml: {section}") or "section" in message, message
    assert "\n" not in message
    assert len(message) < 500
    return True


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_each_setting_refuses_wrong_values_and_must_be_given(section, key):
    verdicts = {name: refused(section, VALUES[section] | {key: value}) for name, value in BAD.items()}
    assert sum(verdicts.values()) > len(BAD) / 2, verdicts
    assert all(verdicts[name] for name in NEVER_VALID), verdicts
    assert refused(section, {name: value for name, value in VALUES[section].items() if name != key})


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9) | st.integers(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(SECTIONS)), NESTED)
def test_any_section_is_accepted_or_refused_with_one_line(section, values):
    refused(section, values)


LAUGHS = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghij", "bcdefghijk", strict=True))
FILES = {
    "aliases that expand to billions of values": f"a: &a [ha]\n{LAUGHS}\ncurve: {{samples: *k}}\n",
    "deep lists": "[" * 50_000,
    "deep mappings": "{a: " * 20_000,
    "one key many times": "curve: {" + ", ".join(["k: 1"] * 9_000) + "}",
    "base 60": "curve: {samples: " + "1:" * 40_000 + "1}",
    "digits": "curve: {samples: " + "9" * 90_000 + "}",
    "huge": "#" * 200_000_000,
    "empty int": "curve: {samples: !!int ''}",
    "no date": "curve: {samples: 2001-99-99}",
    "python object": "curve: !!python/object/apply:os.system ['true']",
    "odd keys": "? [a, b]\n: 1\n",
    "tab": "curve:\n\tsamples: 1\n",
    "two documents": "a: 1\n---\nb: 1\n",
    "control character": "curve: {samples: \x07}\n",
    "utf-16": "curve: {}\n".encode("utf-16"),
    "latin-1": b"curve: {formula: \xe9}\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_settings_file_is_refused_in_little_time_and_memory(tmp_path, name):
    content = FILES[name]
    (tmp_path / "params.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert len(refusal_of(load_params, "curve", folder=tmp_path)) < 1500


PIECES = st.sampled_from(
    ["curve", ":", "\n", "&a", "*a", "!!", "[", "]", "{", "}", "-", "'", '"', "|", "<<", "?", "#", "%"]
)


@settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES | st.text(string.printable, max_size=3), max_size=30).map("".join) | st.binary(max_size=40))
def test_any_text_is_refused_with_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "params.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load_params("curve", str(path))
    assert "\n" not in str(caught.value)
