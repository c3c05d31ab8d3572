"""The fitted spectrum: it finds the noise, and its components are what training counts on."""

import pytest
import torch

from stages.regressor.spectrum import fit_spectrum, fourier_basis, variances


def wave(noise: float, count: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    u = 2 * torch.rand(count, generator=generator, dtype=torch.float64) - 1
    y = (9 * u).sin() + noise * torch.randn(count, generator=generator, dtype=torch.float64)
    return u, y - y.mean()


@pytest.mark.parametrize("kind", ["smooth", "rough"])
@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_the_noise_is_found(kind, noise):
    assert fit_spectrum(kind, *wave(noise), 32).noise == pytest.approx(noise, rel=0.15)


def test_components_that_noise_hides_are_left_out():
    u, y = wave(1.0)
    spectrum = fit_spectrum("smooth", u, y, 32)
    assert 0 < len(spectrum.prior) < 65
    assert (spectrum.prior.square() * len(u) > 0.0099 * spectrum.noise**2).all()


def test_components_are_of_unit_mean_square_and_do_not_disturb_each_other():
    u, y = wave(0.2)
    spectrum = fit_spectrum("rough", u, y, 32)
    components = fourier_basis(u, 32) @ spectrum.projection
    torch.testing.assert_close(components.T @ components / len(u), torch.eye(len(spectrum.prior)).double())


def test_ridge_regression_on_the_components_is_the_gaussian_process_of_the_variances():
    u, y = wave(0.3, count=60)
    spectrum = fit_spectrum("smooth", u, y, 32)
    components = fourier_basis(u, 32) @ spectrum.projection
    ridge = components.T @ components + torch.diag(spectrum.noise**2 / spectrum.prior.square())
    fit = components @ torch.linalg.solve(ridge, components.T @ y)
    # the same as a Gaussian process with the covariance that the components and their priors make
    covariance = (components * spectrum.prior.square()) @ components.T
    process = covariance @ torch.linalg.solve(covariance + spectrum.noise**2 * torch.eye(60), y)
    torch.testing.assert_close(fit, process)


def test_the_rough_spectrum_has_the_heavier_tail():
    scale = torch.tensor(0.05, dtype=torch.float64)
    smooth, rough = (variances(kind, scale, 64)[1:65] for kind in ("smooth", "rough"))
    assert smooth.sum() == pytest.approx(1)
    assert rough[-1] > 100 * smooth[-1]
