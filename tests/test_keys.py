"""What a result depends on: fingerprints of values, and of functions with what they reach."""

import pytest
import torch

from tp_utils.runtime import fingerprint

LONG = torch.arange(5000)
CHANGED = torch.where(LONG == 2500, 0, LONG)  # prints as LONG does


@pytest.mark.parametrize(("one", "other"), [
    (LONG, CHANGED),
    ({"images": LONG}, {"images": CHANGED}),
    ([LONG], [CHANGED]),
    (LONG.numpy(), CHANGED.numpy()),
    (torch.zeros(2, 3), torch.zeros(3, 2)),
    (torch.zeros(2), torch.zeros(2, dtype=torch.double)),
    (1, 1.0),
    ("ab", "abc"),
    ([1, 2], (1, 2)),
    ([[1], 2], [1, [2]]),
    ({"a": 1}, {"a": 2}),
])
def test_different_things_have_different_fingerprints(one, other):
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


def test_fingerprints_of_any_dtype_and_layout():
    values = torch.tensor([[0, 1], [2, 3]])
    for dtype in (torch.bool, torch.uint8, torch.bfloat16, torch.float64, torch.complex64):
        assert len(fingerprint(values.to(dtype), values.to(dtype)[0, 0], values.to(dtype)[:0])) == 16
    assert fingerprint(values.T) == fingerprint(values.T.contiguous())
    assert fingerprint(values.float().requires_grad_()) != fingerprint(values.float())  # frozen or not: it counts


class Doubling(torch.nn.Module):
    def forward(self, x):
        return 2 * x


network = Doubling()


def test_a_function_counts_with_the_functions_it_was_given():
    def made(inner):
        return lambda x: inner(x)

    def twice(x):
        return 2 * x

    def thrice(x):
        return 3 * x

    assert fingerprint(made(twice)) == fingerprint(made(twice)) != fingerprint(made(thrice))


def test_a_function_counts_with_the_numbers_it_was_given():
    def made(weight, name="a"):
        return lambda x: weight * x if name else x

    assert fingerprint(made(1)) == fingerprint(made(1)) != fingerprint(made(2))
    assert fingerprint(made(1)) != fingerprint(made(1, "b")) and fingerprint(made(0.1)) != fingerprint(made(0.4))


def test_a_function_counts_with_the_code_of_the_networks_it_uses(monkeypatch):
    def use(x):
        return network(x)

    before = fingerprint(use)
    assert fingerprint(use) == before
    monkeypatch.setattr(Doubling, "forward", lambda self, x: 3 * x)
    assert fingerprint(use) != before
