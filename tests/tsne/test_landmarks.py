import numpy as np

from stages.tsne.landmarks import choose_landmarks

DRAW = np.random.default_rng(0)
COMMON = DRAW.normal(0, 0.1, (9_900, 8))
RARE = DRAW.normal(5, 1.0, (100, 8))
LATENTS = np.concatenate([COMMON, RARE]).astype(np.float32)


def test_landmarks_are_different_latents_in_order_and_the_same_each_time():
    landmarks = choose_landmarks(LATENTS, 500, seed=3)
    assert (np.diff(landmarks) > 0).all()
    assert len(landmarks) == 500
    assert (landmarks == choose_landmarks(LATENTS, 500, seed=3)).all()
    assert (landmarks != choose_landmarks(LATENTS, 500, seed=4)).any()


def test_sparse_surroundings_are_not_lost():
    rare = (choose_landmarks(LATENTS, 500, seed=0) >= len(COMMON)).sum()
    assert 20 <= rare <= 100  # 5 by chance alone


def test_equal_latents_do_not_divide_by_zero():
    assert len(choose_landmarks(np.zeros((100, 3), np.float32), 20, seed=0)) == 20
