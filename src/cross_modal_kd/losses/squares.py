"""Sums over the squared gaps of all angles by products of matrices: no angle is looked at.

As long as no two cosines differ by more than 1, huber of their gap is gap^2 / 2, and every sum over gap^2, gap cos and
gap u_j u_k is one over products of s, u and h of ``geometry.py``. With C_jk = u_j h_k + h_j u_k - u_j u_k s_jk at one
vertex, of one side and ' of the other,

    sum over k of C_jk C'_jk = (uu')_j [sum hh' - s (uh') - s' (hu') + (ss') (uu')]_j
        + (hu')_j [sum uh' - s' (uu')]_j + (uh')_j [sum hu' - s (uu')]_j + (hh')_j sum uu'

which for all vertices at once is a few products of (B, B) matrices. What is left after sums over cos^2 cancel has their
rounding: single precision serves where enough is left, ``SquaredGaps.precise``, and double everywhere.
"""

from typing import NamedTuple

import torch
from torch import Tensor

LEFT = 1 / 512  # of what cancels: then values have 3 digits fewer than the type, and gradients 2
STEEP = 600.0  # exponents up to here are no infinity in double precision
FEW = 16  # times B: more obtuse rows than that cost as much to look at as all angles


class Squares(NamedTuple):
    """One side, (B, B) as [j, i]: s; s, or infinity where points coincide; u and h."""

    s: Tensor
    apart: Tensor
    u: Tensor
    h: Tensor
    distinct: bool  # whether no two points coincide: then uh is 1 / 2 but for j = i, and no product is needed of it

    @classmethod
    def of(cls, squares: Tensor, coincident: float) -> "Squares":
        """The side of one set of points.

        Args:
            squares: (B, B) squared distances, of the precision to compute in.
            coincident: Squared distance up to which two points count as one.

        Returns:
            What the sums are taken of.
        """
        apart = squares.masked_fill(squares <= coincident, torch.inf)
        u = (2 * apart).rsqrt_()
        return cls(squares, apart, u, u * squares, int(u.count_nonzero()) == u.numel() - len(u))

    def obtuse(self) -> Tensor:
        """Between which j and some k an angle at i may be obtuse; for hardly any others is it said.

        The largest over k of s_jk - s_ij - s_ik is no more than log(sum over k of exp(b (s_jk - s_ij - s_ik))) / b,
        which is a product of matrices, and at most log(B) / b more. b is as large as double precision allows.

        Returns:
            (B, B) booleans as [j, i].
        """
        b = STEEP / self.s.max().double().clamp_min(1)
        near = (self.apart.double() * -b).exp_()
        sums = ((self.s.double() * b).exp_() @ near).mul_(near)
        return (sums < 0.5).logical_not_()  # a sum that is NaN is not passed over

    def cosines(self, j: Tensor, i: Tensor) -> Tensor:
        """The cosines of all angles at i between j and any k.

        Args:
            j: (n,) numbers in [0, B).
            i: (n,) likewise.

        Returns:
            (n, B), 0 for k = i; what stands at k = j is no angle.
        """
        sides = self.s.index_select(0, i).sub_(self.s.index_select(0, j)).add_(self.s[i, j][:, None])
        return sides.mul_(self.u.index_select(0, i)).mul_(self.u[i, j][:, None])


class _Products:
    """Sums over k of C_jk C'_jk for two sides, or for one with itself; uu, uh, hu and hh are (B, B) products of both.

    left_of_x, left_of_y: sums over k of uh' - s' uu', and of hu' - s uu'.
    """

    def __init__(self, one: Squares, other: Squares) -> None:
        self.uu, self.uh, self.hh = one.u * other.u, one.u * other.h, one.h * other.h
        self._other, self._same = other, one is other
        same = self._same
        self.hu = self.uh if same else one.h * other.u
        self.left_of_x = (self.uh.sum(0)).sub(other.s @ self.uu)
        self.left_of_y = self.left_of_x if same else (self.hu.sum(0)).sub(one.s @ self.uu)
        rows = (one.s * other.s) @ self.uu
        if same and one.distinct:
            rows.add_(one.s).sub_(one.s.sum(1, keepdim=True))
        elif same:
            rows.addmm_(one.s, self.uh, alpha=-2)
        else:
            rows.addmm_(one.s, self.uh, alpha=-1).addmm_(other.s, self.hu, alpha=-1)
        rows.add_(self.hh.sum(0)).mul_(self.uu)
        rows.addcmul_(self.hu, self.left_of_x).addcmul_(self.uh, self.left_of_y).addcmul_(self.hh, self.uu.sum(0))
        self.rows = rows

    def pulls(self) -> Tensor:
        """(B, B) sums over k of u_j u_k C'_jk."""
        return (self.uu * self.left_of_x).addcmul_(self.uh, self.uu.sum(0))

    def across(self, weights: Tensor) -> Tensor:
        """(B, B) as [j, k], weighted sums over i of u_j u_k C'_jk."""
        left, other = self.uu * weights, self._other
        of_h = (left.sum(1, keepdim=True) - left).mul_(0.5) if self._same and other.distinct else left @ self.uh.T
        return (of_h + of_h.T).addcmul_(left @ self.uu.T, other.s, value=-1)


class SquaredGaps:
    """Sums over pairs j, k of (cos of one side - cos of the other)^2 / 2, with its gradient in the first side's s.

    Time: 12 products of (B, B) matrices, 15 where points coincide; 2 of ``doubtful``. Memory: O(B^2).

    Args:
        mine: The side that is differentiated.
        theirs: The other side.
    """

    def __init__(self, mine: Squares, theirs: Squares) -> None:
        self._sides = mine, theirs
        self._own, self._both, its = _Products(mine, mine), _Products(mine, theirs), _Products(theirs, theirs)
        itself = (self._own.uh - its.uh).mul_(2)  # the gap of j with j, which is no pair
        turns = (self._own.rows - self._both.rows).addcmul_(itself, self._own.uh, value=-2)
        pulls = self._own.pulls().sub_(self._both.pulls()).addcmul_(self._own.uu, itself, value=-1)
        self._near = pulls.addcmul_(turns, self._own.uu, value=-1)
        self._gaps = its.rows.add_(self._own.rows).sub_(self._both.rows, alpha=2).addcmul_(itself, itself, value=-1)
        self._keep: Tensor | None = None

    def precise(self) -> bool:
        """Whether rounding is small: at least ``LEFT`` is left of the sums over cos^2, or double precision is used."""
        if self._gaps.dtype == torch.double:
            return True
        return bool(self._gaps.sum() >= LEFT * self._own.rows.sum())

    def doubtful(self) -> Tensor:
        """Vertices at which two cosines may differ by more than 1, rising; at all others they do not.

        They do not where no two rows j have squared gaps that sum to 1, nor where no angle of either side is obtuse.
        Where few are, their own gaps tell.

        Returns:
            (V,) numbers in [0, B), int64.
        """
        rounding = 16 * torch.finfo(self._gaps.dtype).eps * len(self._gaps)  # of a sum over k of cos^2
        rows = self._gaps > 1 - max(1e-6, rounding)
        large = rows.sum(0) > 1
        if bool(large.any()):
            large &= self._beyond(rows.logical_and_(large))
        return large.nonzero()[:, 0]

    def _beyond(self, rows: Tensor) -> Tensor:
        """(B,) vertices at which cosines of ``rows``, (B, B) as [j, i], differ by more than 1; all where many may."""
        mine, theirs = self._sides
        j, i = (rows & (mine.obtuse() | theirs.obtuse())).nonzero().unbind(1)
        if len(j) > FEW * len(rows):
            return rows.new_ones(len(rows))
        gaps = mine.cosines(j, i).sub_(theirs.cosines(j, i)).abs_().scatter_(1, j[:, None], 0)
        beyond = (gaps.amax(1) < 1 - 1e-6).logical_not_()
        return rows.new_zeros(len(rows)).index_fill_(0, i[beyond], True)

    def leave_out(self, vertices: Tensor) -> None:
        """Count vertices as 0 from now on.

        Args:
            vertices: (V,) numbers in [0, B).
        """
        self._keep = self._gaps.new_ones(len(self._gaps)).index_fill_(0, vertices, 0)

    def _kept(self, of_vertices: Tensor) -> Tensor:
        return of_vertices if self._keep is None else of_vertices * self._keep

    def sums(self) -> Tensor:
        """The sums over pairs.

        Returns:
            (B,) one for each vertex i, >= 0.
        """
        return self._kept(self._gaps.sum(0).div_(4))

    def gradient(self, weights: Tensor) -> Tensor:
        """The gradient of the weighted sum of ``sums``.

        Args:
            weights: (B,) of the vertices.

        Returns:
            (B, B) with respect to the first side's s; s_jk and s_kj are taken for two numbers.
        """
        weights = self._kept(weights)
        across = self._own.across(weights).sub_(self._both.across(weights)).fill_diagonal_(0)
        return (self._near * weights).sub_(across, alpha=0.5)
