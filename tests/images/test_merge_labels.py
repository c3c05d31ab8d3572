"""The classes and tags of a labels.csv are merged over the samples."""

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.common.samples_table import classes_of, make_samples
from stages.images.merge_labels import merge_labels


def samples():
    return make_samples(
        np.full(4, "train"), ["a.png", "=b.png", "'=c.png", "d.png"], np.array([0, 1, -1, 1]), ["x", "y"]
    )


def merged(tmp_path, text: str):
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    return merge_labels(samples(), str(tmp_path / "labels.csv"))


def test_classes_and_tags_are_merged_and_counted(tmp_path, capsys):
    text = "file_name,label,tags\r\na.png,'-z,odd;=t\r\n'=b.png,y,\r\n''=c.png,x,'=t\r\nd.png,,\r\nnone.png,x,\r\n"
    table = merged(tmp_path, text)
    assert classes_of(table) == ["x", "y", "-z"]
    assert table["label"].astype("object").where(table["label"].notna(), None).tolist() == ["-z", "y", "x", None]
    assert table["tags"].fillna("").tolist() == ["odd;=t", "", "=t", ""]
    printed = capsys.readouterr().out
    assert "3 classes changed, 2 rows tagged; 1 names match no row: none.png" in printed


def test_without_tags_there_is_no_column_and_the_last_of_equal_names_counts(tmp_path):
    table = merged(tmp_path, "\ufefffile_name,label\na.png,y\na.png,w\n")
    assert "tags" not in table
    assert table["label"].tolist()[0] == "w"


@pytest.mark.parametrize("text", ["name,label\na,b\n", "", "file_name,label\n\xff\0,x\n"])
def test_a_wrong_file_is_refused_by_name(tmp_path, text):
    with pytest.raises(InputError, match="labels.csv"):
        merged(tmp_path, text)


def test_a_missing_file_names_the_setting(tmp_path):
    with pytest.raises(InputError, match=r"images\.labels = .*no such file"):
        merge_labels(samples(), str(tmp_path / "gone.csv"))
