"""A `source` in params.yaml that is no readable file is refused with one line, by each stage that reads one."""

import os

import pytest
import yaml

from tests.run_in_fork import refusal_of, stages

with open("params.yaml") as file:
    VALUES = yaml.safe_load(file)
READERS = [("generate_curve", "curve", ""), ("load_images", "images", ""), ("load_images", "latents", ".npz")]
SOURCES = {
    "zero byte": "a\0b", "long name": "n" * 5000, "endless device": "/dev/zero", "pipe": "pipe",
    "link to itself": "loop", "missing": "no/such/file", "empty folder": "empty",
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("reader", "section", "suffix"), READERS)
def test_a_source_that_is_no_file(tmp_path, reader, section, suffix, name):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
    (tmp_path / f"empty{suffix}").mkdir()
    values = VALUES | {section: VALUES[section] | {"source": SOURCES[name] + suffix}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    refusal = refusal_of(stages, reader, folder=tmp_path)
    assert "params.yaml" in refusal or "empty" in refusal
