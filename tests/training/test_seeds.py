"""Seeds from parts."""

from cross_modal_kd.training.seeds import derive_seed


def test_a_seed_is_fixed_by_its_parts_and_by_nothing_else():
    assert derive_seed("epoch", 0, 1) == derive_seed("epoch", 0, 1)
    seeds = {derive_seed(purpose, seed, epoch) for purpose in "ab" for seed in range(5) for epoch in range(5)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed("1", 2) != derive_seed(1, 2) != derive_seed(12)
