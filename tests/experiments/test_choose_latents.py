import numpy as np
import pytest

from experiments.choose_latents import VARIANTS, intrinsic_dimension, unseen_views, view_rank, view_recall
from stages.common.settings import check_section, load_params
from stages.images.garments.garments import draw_garments

IMAGES, _, _ = draw_garments(200, seed=0)


def test_every_variant_is_a_setting_that_params_yaml_accepts():
    default = load_params("autoencoder").model_dump()
    for changes in VARIANTS.values():
        check_section("autoencoder", {**default, **changes})


def test_a_view_is_nearer_to_its_image_than_to_most_others():
    views = unseen_views(IMAGES)
    assert (views.dtype, views.shape) == (np.uint8, IMAGES.shape)
    assert np.array_equal(views, unseen_views(IMAGES))
    distances = np.abs(views[:, None].astype(int) - IMAGES[None].astype(int)).mean(axis=(2, 3))
    own = np.diag(distances)
    assert (own > 1).all()
    assert np.median((distances < own[:, None]).mean(axis=1)) < 0.1


def test_scores_of_views_fall_from_one_as_views_move_away():
    generator = np.random.default_rng(0)
    latents, seen = generator.normal(size=(500, 8)), generator.normal(size=(100, 8))
    noise = generator.normal(size=seen.shape)
    recalls = [view_recall(latents, seen, seen + size * noise) for size in (0, 0.1, 1, 100)]
    ranks = [view_rank(latents, seen, seen + size * noise) for size in (0, 0.5, 1, 100)]
    assert recalls[0] == ranks[0] == 1
    assert sorted(recalls, reverse=True) == recalls
    assert sorted(ranks, reverse=True) == ranks
    assert recalls[-1] < 0.2
    assert ranks[-1] < 0.2


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_is_that_of_the_surface_not_of_the_space(dimension):
    generator = np.random.default_rng(0)
    points = generator.uniform(size=(2000, dimension)) @ generator.normal(size=(dimension, 20))
    assert intrinsic_dimension(points) == pytest.approx(dimension, rel=0.12)
