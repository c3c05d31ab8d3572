"""The schema of `params.yaml`: one class for each section, one field for each value."""

import difflib
import re
import reprlib
import sys
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages.pipeline.errors import InputError, run

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Device = Literal["auto", "cpu", "cuda", "mps"]


Coordinate = Annotated[float, Field(ge=-1e100, le=1e100)]  # its square is a number still
BatchSize = Annotated[int, Field(ge=1, le=10_000_000)]
MOST_WEIGHTS = 100_000_000  # of what is trained at once; Adam holds each four times


class Section(BaseModel):
    """Unknown keys and values of another type are refused (an int is accepted for a float)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class CurveParams(Section):
    """What the regressor learns: points drawn from a formula, or a CSV file."""

    source: Annotated[str, Field(min_length=1)]
    formula: Annotated[str, Field(min_length=1, max_length=500)]
    x_min: Coordinate
    x_max: Coordinate
    samples: Annotated[int, Field(ge=20, le=10_000_000)]
    test_samples: Annotated[int, Field(ge=10, le=10_000_000)]
    noise_std: Annotated[float, Field(ge=0, le=1e100)]
    outlier_fraction: Annotated[float, Field(ge=0, lt=0.5)]
    csv_test_fraction: Annotated[float, Field(ge=0.01, le=0.4)]
    seed: Seed

    @model_validator(mode="after")
    def _range_is_not_empty(self):
        if not self.x_min < self.x_max:
            raise ValueError(f"x_min ({self.x_min:g}) must be less than x_max ({self.x_max:g})")
        return self


class RegressorParams(Section):
    """The network that learns the curve, and its training."""

    encoding: Literal["none", "fourier", "hat"]
    encoding_size: Annotated[int, Field(ge=1, le=1000)]
    members: Annotated[int, Field(ge=1, le=1000)]
    shortcut: bool
    hidden_layers: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=100)]
    activation: Literal["leaky_relu", "relu", "sigmoid", "tanh", "identity"]
    negative_slope: Annotated[float, Field(ge=0, lt=1)]
    weight_penalty: Annotated[float, Field(ge=0, le=1000)]
    loss: Literal["l1", "l2", "huber"]
    target_jitter: Annotated[float, Field(ge=0, le=10)]
    optimizer: Literal["adam", "adamw", "sgd"]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    schedule: Literal["constant", "cosine"]
    batch_size: BatchSize
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Seed

    @model_validator(mode="after")
    def _fits_into_memory(self):
        widths = [1 + 2 * self.encoding_size, *self.hidden_layers, 1]
        weights = self.members * sum(before * after for before, after in pairwise(widths))
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"hidden_layers, members and encoding_size ask for {weights:,} weights, at most {MOST_WEIGHTS:,} fit"
            )
        return self


class ImagesParams(Section):
    """Which images the autoencoder learns."""

    source: Annotated[str, Field(min_length=1)]
    root: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(ge=8, le=512)]
    drawn_train: Annotated[int, Field(ge=50, le=1_000_000)]
    drawn_test: Annotated[int, Field(ge=10, le=1_000_000)]
    folder_test_fraction: Annotated[float, Field(ge=0.01, le=0.9)]
    folder_broken: Literal["refuse", "skip"]
    seed: Seed

    @model_validator(mode="after")
    def _fixed_size(self):
        if self.source in ("drawn", "fashion-mnist") and self.size != 28:
            raise ValueError(f"size = {self.size}: {self.source} images are 28 pixels a side, set size to 28")
        return self


class AutoencoderParams(Section):
    """The network that learns the images, and its training."""

    architecture: Literal["dense", "conv"]
    hidden_layers: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=20)]
    channels: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=1, max_length=4)]
    latent_dim: Annotated[int, Field(ge=2, le=4096)]
    linear_path: bool
    loss: Literal["mse", "l1"]
    length_compression: Annotated[float, Field(ge=0, le=0.9)]
    whitening: Annotated[float, Field(ge=-1, le=1)]
    beta: Annotated[float, Field(ge=0, le=100)]
    noise: Annotated[float, Field(ge=0, le=10)]
    shift: Annotated[float, Field(ge=0, le=100)]
    rotation: Annotated[float, Field(ge=0, le=180)]
    stretching: Annotated[float, Field(ge=0, le=0.5)]
    flip: bool
    consistency: Annotated[float, Field(ge=0, le=100)]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    batch_size: BatchSize
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    device: Device
    seed: Seed


class LatentsParams(Section):
    """Where the latent vectors come from."""

    source: Annotated[str, Field(min_length=1)]
    file_test_fraction: Annotated[float, Field(ge=0.01, le=0.9)]
    device: Device
    seed: Seed


class TsneParams(Section):
    """How the latents are laid out."""

    points: Annotated[int, Field(ge=10, le=10_000_000)]
    landmarks: Literal["first", "density"]
    engine: Literal["fitmap", "opentsne", "sklearn"]
    device: Literal["auto", "cpu", "cuda"]
    n_components: Literal[2, 3]
    perplexity: Annotated[float, Field(ge=1)]
    early_exaggeration: Annotated[float, Field(ge=1, le=1000)]
    early_iterations: Annotated[int, Field(ge=1, le=100_000)]
    iterations: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @model_validator(mode="after")
    def _engine_can_do_it(self):
        if self.n_components == 3 and self.engine == "opentsne":
            raise ValueError("n_components = 3: openTSNE makes 2-D maps only, set engine to fitmap")
        if self.early_iterations != 250 and self.engine == "sklearn":
            raise ValueError(f"early_iterations = {self.early_iterations}: scikit-learn's is fixed, set it to 250")
        return self


class MapScoresParams(Section):
    """How many neighbours the scores look at."""

    classifier_neighbours: Annotated[int, Field(ge=1, le=1000)]
    trustworthiness_neighbours: Annotated[int, Field(ge=1, le=1000)]
    recall_neighbours: Annotated[int, Field(ge=1, le=1000)]


class FiguresParams(Section):
    """How large the pictures are."""

    map_pixels: Annotated[int, Field(ge=400, le=20_000)]
    reconstructions_per_class: Annotated[int, Field(ge=1, le=100)]


class MapPageParams(Section):
    """What the interactive page shows."""

    title: Annotated[str, Field(max_length=200)]
    neighbours: Annotated[int, Field(ge=1, le=50)]


SECTIONS: dict[str, type[Section]] = {
    "curve": CurveParams,
    "regressor": RegressorParams,
    "images": ImagesParams,
    "autoencoder": AutoencoderParams,
    "latents": LatentsParams,
    "tsne": TsneParams,
    "map_scores": MapScoresParams,
    "figures": FiguresParams,
    "map_page": MapPageParams,
}

LONGEST_FILE = 100_000  # bytes
MAP_SECTIONS = ("images", "autoencoder", "latents", "tsne", "map_scores")


class Loader(yaml.SafeLoader):
    """YAML 1.2's floats, as DVC reads them (`1e-3` is a number), and no key given twice."""

    def construct_mapping(self, node, deep=False):
        values = super().construct_mapping(node, deep)
        if len(values) < len(node.value):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = next(key for at, key in enumerate(keys) if key in keys[:at])
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} is given twice", node.start_mark)
        return values

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):  # a few nested ones can stand for billions of values
            raise yaml.composer.ComposerError(
                None, None, "write values out instead of *aliases", self.peek_event().start_mark
            )
        return super().compose_node(parent, index)


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)$"), list("-+0123456789.")
)


def load_params(section: str, path: str = "params.yaml") -> Section:
    """One section of `path`, checked against its schema with all others: a mistake shows in the first stage that runs.

    Raises `InputError` for a file that is no YAML, an unknown section or key, a wrong type or value, or values that
    do not go together.
    """
    sys.audit("fitmap.load_params", section)
    content = _read_yaml(path)
    if section not in content:
        raise InputError(f"{path}: section `{section}` is missing")
    return {name: check_section(name, values, path) for name, values in content.items()}[section]


def plain_sections(names: Iterable[str], path: str = "params.yaml") -> dict[str, object]:
    """Sections as they stand in the file, unchecked; None for one that is missing."""
    content = _read_yaml(path)
    return {name: content.get(name) for name in names}


def map_params(path: str = "params.yaml") -> dict[str, dict]:
    """What shaped the map, by section, to be shown with it; where the run took place is nobody's concern."""
    return {name: load_params(name, path).model_dump(exclude={"root", "device"}) for name in MAP_SECTIONS}


def check_file(path: str = "params.yaml") -> None:
    """Check every section, so that a mistake in a late one shows before anything costly runs."""
    for section in SECTIONS:
        load_params(section, path)


def check_section(section: str, values: object, path: str = "params.yaml") -> Section:
    """The section's model made from plain `values`; its first mistake becomes an `InputError`."""
    if not isinstance(values, dict):
        raise InputError(f"{path}: section `{section}` must hold `key: value` lines")
    schema = SECTIONS[section]
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key = ".".join([section, *(str(part)[:60] for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        raise InputError(
            f"{path}: {key} is no parameter{_did_you_mean(str(first['loc'][0])[:60], schema.model_fields)}"
        )
    if first["type"] == "missing":
        raise InputError(f"{path}: {key} is missing, every value must be given")
    message = first["msg"].removeprefix("Value error, ")
    given = f" = {_short(first['input'])}" if first["loc"] else ""
    raise InputError(f"{path}: {key}{given}: {message[0].lower()}{message[1:]}")


def _read_yaml(path: str) -> dict:
    try:
        with open(path, "rb") as file:
            text = file.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: run from the project's folder") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    if len(text) > LONGEST_FILE:
        raise InputError(f"{path} is longer than {LONGEST_FILE:,} bytes, which no list of settings is")
    try:
        content = yaml.load(text.decode("utf-8-sig"), Loader=Loader)
    except Exception as error:  # beside YAMLError: what Python says of `!!int ''`, of digits without end …
        raise InputError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold sections ({', '.join(SECTIONS)})")
    for name in content:
        if name not in SECTIONS:
            raise InputError(f"{path}: `{str(name)[:60]}` is no section{_did_you_mean(str(name)[:60], SECTIONS)}")
    return content


def _did_you_mean(name: str, known) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _short(value: object) -> str:
    """A value as text of at most 60 characters, whatever is nested in it."""
    try:
        text = repr(value) if isinstance(value, str | float) else reprlib.repr(value)
    except ValueError:  # an int beyond what Python writes out
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


if __name__ == "__main__":
    run(check_file)
