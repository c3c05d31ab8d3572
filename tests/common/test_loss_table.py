from pathlib import Path

import pandas as pd
import pytest

from stages.common.errors import InputError
from stages.common.loss_table import LossTable

ROWS = [(1, 0.5, 1 / 3), (2, 0.25, 1e-9), (3, 0.125, float("nan"))]
COLUMNS = ["epoch", "train_loss", "validation_loss"]


def test_a_reader_that_has_opened_the_table_sees_each_epoch_appear(tmp_path):
    """As `tail -f` does: it keeps the file open."""
    path = tmp_path / "plots/loss.csv"
    path.parent.mkdir()
    path.write_text("epoch,train_loss\n9,9\n")  # of the training before
    table = LossTable(str(path), COLUMNS)
    table([])
    with path.open() as reader:
        assert reader.read() == "epoch,train_loss,validation_loss\n"
        for epoch in range(1, 4):
            table(ROWS[:epoch])
            assert reader.read().count("\n") == 1
    assert pd.read_csv(path).equals(pd.DataFrame(ROWS, columns=COLUMNS))


def test_a_resumed_training_begins_with_the_epochs_of_the_interrupted_one(tmp_path):
    paths = [str(tmp_path / name) for name in ("one", "resumed")]
    one, resumed = (LossTable(path, COLUMNS) for path in paths)
    one([])
    for epoch in range(1, 4):
        one(ROWS[:epoch])
    resumed(ROWS[:2])
    resumed(ROWS)
    assert Path(paths[0]).read_bytes() == Path(paths[1]).read_bytes()


def test_a_table_that_cannot_be_written_is_a_one_line_error(tmp_path):
    table = LossTable(str(tmp_path / "loss.csv"), COLUMNS)
    table([])
    (tmp_path / "loss.csv").unlink()
    (tmp_path / "loss.csv").mkdir()
    with pytest.raises(InputError, match=r"loss.csv cannot be written"):
        table(ROWS)
