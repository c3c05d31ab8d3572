"""The schema of `params.yaml`: one class for each section, one field for each setting."""

import difflib
import reprlib
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from ruamel.yaml import YAML

from stages.common.errors import InputError


def _auto_or(lowest: float, highest: float, numbers: type = int) -> AfterValidator:
    """Return a validator that accepts "auto" and `numbers`, of type int or float, from `lowest` to `highest`."""

    def check(value: object) -> object:
        if value != "auto" and (
            not isinstance(value, int | numbers) or isinstance(value, bool) or not lowest <= value <= highest
        ):
            raise ValueError(f"must be auto or {lowest} to {highest}")
        return value

    return AfterValidator(check)


def _all_or_names(value: object) -> object:
    """Accept "all" and lists of names."""
    if value != "all" and not (isinstance(value, list) and all(isinstance(name, str) and name for name in value)):
        raise ValueError("must be all or a list of column names")
    return value


Text = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Device = Literal["auto", "cpu", "cuda", "mps"]
Coordinate = Annotated[float, Field(ge=-1e100, le=1e100)]  # its square is still finite
Fraction = Annotated[float, Field(ge=0, le=0.9)]
Width = Annotated[int, Field(ge=1, le=100_000)]
BatchSize = Annotated[int, Field(ge=1, le=10_000_000)]
Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
LearningRate = Annotated[float, Field(gt=0, le=10)]
LearningRateOrAuto = Annotated[Any, _auto_or(1e-12, 10, float)]
Pixels = Annotated[Any, _auto_or(8, 256)]
BatchSizeOrAuto = Annotated[Any, _auto_or(1, 10_000_000)]
EpochsOrAuto = Annotated[Any, _auto_or(1, 1_000_000)]
VECTOR_FILES = (".parquet", ".csv", ".tsv", ".jsonl", ".npz", ".npy", ".safetensors")
MOST_WEIGHTS = 100_000_000  # of one training; Adam keeps each four times


def is_table(source: str) -> bool:
    """Return whether `latents.source` names a table of vectors."""
    return source.lower().endswith(VECTOR_FILES)


class Section(BaseModel):
    """Rejects unknown keys and values of another type (an int is accepted for a float)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class CurveParams(Section):
    """What the regressor learns: points drawn from a formula, or a CSV file."""

    source: Text
    x_column: Text
    y_column: Text
    x_scale: Literal["linear", "log"]
    formula: Annotated[str, Field(min_length=1, max_length=500)]
    x_min: Coordinate
    x_max: Coordinate
    samples: Annotated[int, Field(ge=20, le=10_000_000)]
    test_samples: Annotated[int, Field(ge=10, le=10_000_000)]
    noise_std: Annotated[float, Field(ge=0, le=1e100)]
    test_fraction: Annotated[float, Field(ge=0.01, le=0.9)]
    seed: Seed

    @model_validator(mode="after")
    def _range_is_not_empty(self):
        if not self.x_min < self.x_max:
            raise ValueError(f"x_min ({self.x_min:g}) must be less than x_max ({self.x_max:g})")
        if self.source == "formula" and self.x_scale == "log" and self.x_min <= 0:
            raise ValueError(f"x_scale = 'log' needs an x_min above 0, not {self.x_min:g}")
        return self


ACTIVATIONS = {"leaky_relu": "LeakyReLU", "relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh", "identity": "none"}


class RegressorParams(Section):
    """The network that learns the curve, and its training."""

    encoding: Literal["none", "fourier"]
    frequencies: Annotated[int, Field(ge=1, le=1000)]
    hidden_layers: Annotated[list[Width], Field(max_length=100)]
    activation: Literal[*ACTIVATIONS]
    negative_slope: Annotated[float, Field(ge=0, lt=1)]
    loss: Literal["l1", "l2", "huber"]
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: LearningRate
    batch_size: BatchSize
    epochs: Epochs
    ensemble_size: Annotated[int, Field(ge=1, le=100)]
    seed: Seed

    @model_validator(mode="after")
    def _fits_into_memory(self):
        widths = [1 + 2 * self.frequencies, *self.hidden_layers, 1]
        weights = self.ensemble_size * sum(before * after for before, after in pairwise(widths))
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"hidden_layers, ensemble_size and frequencies ask for {weights:,} weights, {MOST_WEIGHTS:,} fit"
            )
        return self


def name_of_activation(regressor: dict) -> str:
    """Return the activation of a regressor's settings or architecture as a reader knows it, such as LeakyReLU(0.2)."""
    name = ACTIVATIONS[regressor["activation"]]
    return f"{name}({regressor['negative_slope']:g})" if name == "LeakyReLU" else name


class ImagesParams(Section):
    """Which images the autoencoder learns."""

    source: Text
    root: Text
    pixels: Pixels
    colour: Literal["auto", "grey", "rgb"]
    fit: Literal["crop", "pad"]
    label: Annotated[str, Field(min_length=1, max_length=1000)]
    labels: Annotated[str, Field(min_length=1, max_length=1000)]
    train_samples: Annotated[int, Field(ge=50, le=1_000_000)]
    test_samples: Annotated[int, Field(ge=10, le=1_000_000)]
    test_fraction: Fraction
    on_broken: Literal["refuse", "skip"]
    seed: Seed

    @model_validator(mode="after")
    def _fixed_pixels(self):
        if self.source in ("drawn", "fashion-mnist") and self.pixels not in ("auto", 28):
            raise ValueError(f"pixels = {self.pixels}: {self.source} images have 28 pixels a side, set pixels to auto")
        return self


class AutoencoderParams(Section):
    """The network that learns the images, and its training."""

    architecture: Literal["auto", "dense", "conv"]
    hidden_layers: Annotated[list[Width], Field(max_length=20)]
    channels: Annotated[int, Field(ge=1, le=4096)]
    blocks: Annotated[int, Field(ge=1, le=100)]
    latent_dim: Annotated[int, Field(ge=2, le=4096)]
    kl_weight: Annotated[float, Field(ge=0, le=100)]
    view_strength: Annotated[float, Field(ge=0, le=10)]
    view_consistency: Annotated[Any, _auto_or(0, 100, float)]
    learning_rate: LearningRateOrAuto
    batch_size: BatchSizeOrAuto
    epochs: EpochsOrAuto
    seed: Seed


class LatentsParams(Section):
    """Where the latent vectors come from."""

    source: Text
    weights: Text
    columns: list[Text]
    scale: Literal["none", "standard", "unit"]
    test_fraction: Fraction

    @property
    def is_file(self) -> bool:
        """Return whether `source` names a table of vectors, so that no images need to be encoded."""
        return is_table(self.source)


class TsneParams(Section):
    """How t-SNE lays the latents out."""

    engine: Literal["fitmap", "sklearn"]
    points: Annotated[int, Field(ge=10, le=10_000_000)]
    n_components: Literal[2, 3]
    perplexity: Annotated[float, Field(ge=1)]
    iterations: Annotated[int, Field(ge=1, le=100_000)]
    seed: Seed


class GroupsParams(Section):
    """Which clusters of the map count as groups."""

    smallest: Annotated[float, Field(gt=0, le=0.5)]


class PageParams(Section):
    """What the map page shows."""

    columns: Annotated[Any, AfterValidator(_all_or_names)]


SECTIONS = {
    "curve": CurveParams,
    "regressor": RegressorParams,
    "images": ImagesParams,
    "autoencoder": AutoencoderParams,
    "latents": LatentsParams,
    "tsne": TsneParams,
    "groups": GroupsParams,
    "page": PageParams,
    "device": Device,
}

LONGEST_FILE = 100_000  # bytes
MAP_SECTIONS = ("images", "autoencoder", "latents", "tsne")


def load_params(key: str, path: str = "params.yaml"):
    """Return one section of `path`, or one setting such as `latents.source`.

    Every section is checked, so that a mistake shows in the first stage that runs. Raises `InputError` for a file that
    is not YAML, an unknown section or key, a wrong type or value, or values that do not go together.
    """
    section, _, name = key.partition(".")
    content = _read_yaml(path)
    if section not in content:
        raise InputError(f"{path}: section `{section}` is missing")
    values = {name: check_section(name, values, path) for name, values in content.items()}[section]
    return getattr(values, name) if name else values


def map_params(path: str = "params.yaml") -> dict[str, dict]:
    """Return the settings that shaped the map, by section; `images.root` is left out, as it names a local folder."""
    return {name: load_params(name, path).model_dump(exclude={"root"}) for name in MAP_SECTIONS}


def check_section(section: str, values: object, path: str = "params.yaml"):
    """Return the section's model built from plain `values`; raise `InputError` for its first mistake."""
    schema = SECTIONS[section]
    is_section = isinstance(schema, type)
    if is_section and not isinstance(values, dict):
        raise InputError(f"{path}: section `{section}` must hold `key: value` lines")
    try:
        return TypeAdapter(schema).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key = ".".join([section, *(str(part)[:60] for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][0])[:60]
        raise InputError(f"{path}: {key} is not a setting{_did_you_mean(name, schema.model_fields)}")
    if first["type"] == "missing":
        raise InputError(f"{path}: {key} is missing: every setting needs a value")
    message = first["msg"].removeprefix("Value error, ")
    given = f" = {_short(first['input'])}" if first["loc"] or not is_section else ""
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
        raise InputError(f"{path} is longer than {LONGEST_FILE:,} bytes")
    try:
        content = YAML(typ="safe", pure=True).load(text.decode("utf-8-sig"))  # as DVC reads it: YAML 1.2
    except Exception as error:  # also ValueError and others, as for `!!int ''`
        raise InputError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold sections ({', '.join(SECTIONS)})")
    for name in content:
        if name not in SECTIONS:
            raise InputError(f"{path}: `{str(name)[:60]}` is not a section{_did_you_mean(str(name)[:60], SECTIONS)}")
    return content


def _did_you_mean(name: str, known) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _short(value: object) -> str:
    """Return a value as text of at most 60 characters."""
    try:
        text = repr(value) if isinstance(value, str | float) else reprlib.repr(value)
    except ValueError:  # an int with more digits than Python converts
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
