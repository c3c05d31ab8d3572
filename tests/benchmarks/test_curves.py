"""The benchmark's curves are what they are named after."""

import numpy as np

from benchmarks.curves import COUNTS, CURVES, GAPS, problems


def test_each_curve_comes_with_small_and_large_noise_few_and_many_points_and_two_have_gaps():
    every = list(problems())
    assert len(every) == 4 * len(CURVES) + 2
    assert len({problem.name for problem in every}) == len(every)
    for problem in every:
        assert len(problem.train[0]) in COUNTS.values()
        assert np.isfinite(problem.truth).all()


def test_gaps_are_empty_and_the_grid_crosses_them():
    for problem in list(problems())[-2:]:
        for low, high in GAPS:
            assert not ((problem.train[0] > low) & (problem.train[0] < high)).any()
            assert ((problem.grid > low) & (problem.grid < high)).any()


def test_another_seed_draws_other_points():
    assert next(problems(0)).train[0][0] != next(problems(1)).train[0][0]
