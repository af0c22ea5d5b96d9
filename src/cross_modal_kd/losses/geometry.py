"""How far the distances and the angles among one set of points are from those among another.

By the law of cosines squared distances suffice: with s the squared distances, u = 1 / sqrt(2 s) and h = s u, the cosine
of the angle j-i-k is (s_ij + s_ik - s_jk) / (2 l_ij l_ik) = u_ij h_ik + u_ik (h_ij - u_ij s_jk). No vector between two
points is formed, so that neither time nor memory of the angles depends on the dimension.

An element [shift, j, i] below is the angle at i between j and k = j + shift (modulo B). The shifts 1 to B / 2 meet
every pair j, k once; an even B meets the pairs of its last shift twice, and they count half. Angles are gone through by
blocks of shifts: memory grows with B^2, not with B^3. On a CPU only those at some vertices are gone through, or none:
``squares.py`` has the sums over the others.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from cross_modal_kd.losses.squares import SquaredGaps, Squares

NEAR = 0.05  # squared distances from here on keep 5 digits of a Gram matrix in single precision
COINCIDENT = 1e-4  # nearer unit vectors count as one point: the direction between them is rounding noise
BLOCK = {"cpu": 2**18}  # angles at a time: few enough for a CPU's cache, enough for its threads
LARGE_BLOCK = 2**24  # on other devices
BY_PRODUCTS = ("cpu",)  # devices that may look at values, and have double precision


def relation_gap(student: Tensor, teacher: Tensor, distance_weight: float, angle_weight: float) -> Tensor:
    """distance_weight * mean over j of huber(d_ij) + angle_weight * mean over j != k of huber(cos of angle j-i-k).

    huber is x^2 / 2 where |x| < 1, else |x| - 1 / 2, of the student's value less the teacher's; d_ij is the distance
    over the mean distance between distinct points; i, j, k are distinct. A cosine is 0 where j or k coincides with i.
    Memory: O(B^2), and three blocks of up to ``BLOCK`` angles (3 MB of float32). Time: O(B^2 d), and O(B^3) for the
    angles; on a CPU most of that is products of matrices. It is differentiable once.

    Args:
        student: (B, d) points of about unit length.
        teacher: (B, d') points of the same samples.
        distance_weight: Of the distances, >= 0.
        angle_weight: Of the angles, >= 0; 0 passes them over.

    Returns:
        (B,) values >= 0, one for each i. Distances need a batch of two, angles of three; without them they are 0.

    >>> right_angled = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])  # cosines 0, 0.6, 0.8; of 60 degrees 0.5
    >>> relation_gap(right_angled, torch.eye(3), 0.0, 1.0)
    tensor([0.1250, 0.0050, 0.0450])
    """
    weights = (distance_weight, angle_weight)
    values = _RelationGap.apply(student, teacher.detach(), *weights)
    if teacher.requires_grad:
        swapped = _RelationGap.apply(teacher, student.detach(), *weights)
        values = values + (swapped - swapped.detach())
    return values


def squared_distances(points: Tensor) -> Tensor:
    """||x_i - x_j||^2, to the precision of the points however near they are.

    By their Gram matrix in double precision; where the device has none, by their differences.

    Args:
        points: (B, d) x.

    Returns:
        (B, B), symmetric, 0 on the diagonal; of two equal points 0 or, by rounding, a number far below
        ``COINCIDENT``^2.

    >>> squared_distances(torch.tensor([[0.0, 1.0], [0.0, 3.0]])).tolist()
    [[0.0, 4.0], [4.0, 0.0]]
    """
    return _wide_squares(points).to(points.dtype)


def _wide_squares(points: Tensor) -> Tensor:
    """``squared_distances`` in double precision, where the device has it."""
    if points.device.type == "mps":
        return (points[:, None] - points).square().sum(-1)
    return _by_gram(points.double())


def _by_gram(points: Tensor) -> Tensor:
    gram = points @ points.T
    length = gram.diagonal()
    return (length[:, None] + length).sub_(gram, alpha=2)


def _squares(points: Tensor) -> Tensor:
    """``_wide_squares``, in the precision of the points where a CPU sees that no two lie near."""
    if points.device.type not in BY_PRODUCTS or len(points) < 2:
        return _wide_squares(points)
    found = _by_gram(points).fill_diagonal_(torch.inf)
    return found.fill_diagonal_(0) if bool(found.min() >= NEAR) else _wide_squares(points)


class _RelationGap(torch.autograd.Function):
    """``relation_gap``, differentiable in the first argument."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, others: Tensor, distance_weight: float, angle_weight: float) -> Tensor:
        batch, values = len(points), points.new_zeros(len(points))
        distances, angles = _compared(points, others, batch > 2 and angle_weight > 0)
        ctx.parts = [(distance_weight / (batch - 1), distances)] if batch > 1 else []
        ctx.parts += [(2 * angle_weight / ((batch - 1) * (batch - 2)), part) for part in angles]
        for weight, part in ctx.parts:
            values.add_(part.sums(), alpha=weight)
        ctx.save_for_backward(points)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (points,) = ctx.saved_tensors
        of_squares = points.new_zeros(len(points), len(points))
        for weight, part in ctx.parts:
            of_squares.add_(part.gradient(gradient), alpha=weight)
        both = of_squares + of_squares.T
        of_points = torch.addmm(both.sum(1, keepdim=True) * points, both, points, beta=2, alpha=-2)
        return of_points, None, None, None


def _compared(points: Tensor, others: Tensor, angled: bool) -> "tuple[_Distances, list[SquaredGaps | _Angles]]":
    """What sums over the distances, and over the angles where they are asked for."""
    squares = [_squares(each).to(points.dtype) for each in (points, others)]
    if points.device.type in BY_PRODUCTS:
        one, other = (Squares.of(each, COINCIDENT**2) for each in squares)
        return _Distances(one, other), _by_products(one, other, (points, others)) if angled else []
    side, its = (_Side.of(each) for each in squares)
    return _Distances(side, its), [_Angles(side, its)] if angled else []


def _by_products(one: Squares, other: Squares, points: tuple[Tensor, Tensor]) -> "list[SquaredGaps | _Angles]":
    """Products of matrices sum over the angles, but at vertices where huber may not be a square.

    They are of the sides' precision; where that leaves too little, of the double precision of the points' distances.
    """
    gaps = SquaredGaps(one, other)
    if not gaps.precise():
        gaps = SquaredGaps(*(Squares.of(_wide_squares(each), COINCIDENT**2) for each in points))
    doubtful = gaps.doubtful()
    if not len(doubtful):
        return [gaps]
    gaps.leave_out(doubtful)
    return [gaps, _Angles(_Side.of(one.s).at(doubtful), _Side.of(other.s).at(doubtful), doubtful)]


class _Side(NamedTuple):
    """One set of points: s, u and h of the module's docstring as [j, i], (B + S, B), where row B is row 0 again.

    u and h may be those of V of the vertices i alone, (B + S, V).
    """

    s: Tensor
    u: Tensor
    h: Tensor

    @classmethod
    def of(cls, squares: Tensor) -> "_Side":
        squares = torch.cat([squares, squares[: len(squares) // 2]])
        # not "> limit": a distance that is NaN is not passed over
        u = squares.masked_fill(squares <= COINCIDENT**2, torch.inf).mul_(2).rsqrt_()
        return cls(squares, u, u * squares)

    def at(self, vertices: Tensor) -> "_Side":
        """The side with some of its vertices alone."""
        return _Side(self.s, self.u[:, vertices], self.h[:, vertices])

    def blocks(self, size: int) -> Iterator["_Block"]:
        """Up to ``size`` shifts at a time, of all S."""
        batch = self.s.shape[1]
        u_k, h_k = (rows.unfold(0, batch, 1)[1:].transpose(1, 2) for rows in (self.u, self.h))
        s_jk = self.s.as_strided((len(self.s) - batch, batch, 1), (batch, batch + 1, 1), batch).contiguous()
        u, h = self.u[:batch], self.h[:batch]
        return (_Block(u, h, *views) for views in zip(*(view.split(size) for view in (u_k, h_k, s_jk)), strict=True))


class _Block(NamedTuple):
    """A side by shifts. u, h: (B, V) of j and i. u_k, h_k: (n, B, V) views, of k and i. s_jk: (n, B, 1)."""

    u: Tensor
    h: Tensor
    u_k: Tensor
    h_k: Tensor
    s_jk: Tensor


class _Distances:
    """Sums over j of huber(l_ij / mean l of one side - that of the other), with its gradient in the first side's s.

    h is a multiple of l, and takes its place.
    """

    def __init__(self, one: "_Side | Squares", other: "_Side | Squares") -> None:
        (mine, self._mean), (theirs, _) = self._relative(one), self._relative(other)
        self._one, self._gap = one, mine.sub_(theirs)
        self._slope = self._gap.clamp(-1, 1)

    @staticmethod
    def _relative(side: "_Side | Squares") -> tuple[Tensor, Tensor]:
        """(B, B) h over its mean among distinct points; that mean, 1 where there are none."""
        h = side.h[: side.h.shape[1]]
        mean = h.sum() / (h != 0).to(h.dtype).sum().clamp_min(1)
        mean = mean.masked_fill(mean == 0, 1)
        return h / mean, mean

    def sums(self) -> Tensor:
        """(B,) one sum for each i."""
        return self._gap.sub_(self._slope, alpha=0.5).mul_(self._slope).sum(1)

    def gradient(self, weights: Tensor) -> Tensor:
        """(B, B) of the weighted sum of ``sums``."""
        h, u = (rows[: len(weights)] for rows in (self._one.h, self._one.u))
        of_h = self._slope * (weights / self._mean)[:, None]
        total = h.sum()
        of_h -= (of_h * h).sum() / total.masked_fill(total == 0, 1)
        return of_h.mul_(u).mul_(0.5)


class _PairSums:
    """For every point, sums over the pairs that it is in, as j or as k, of blocks [shift, j, i].

    A block is written to ``place``, a view of ``room`` in which [shift, j, i] lies at row k = j + shift: to sum the
    room over its shifts is then to sum over the pairs by their k, counted on beyond B.
    """

    def __init__(self, like: Tensor, room: Tensor, shifts: int) -> None:
        size, rows, vertices = room.shape
        place = (size, len(like), vertices)
        self._room, self.place = room, room.as_strided(place, ((rows + 1) * vertices, vertices, 1))
        self._as_j, self._as_k = torch.zeros_like(like), like.new_zeros(-(-shifts // size) * size + len(like), vertices)

    @staticmethod
    def room_for(like: Tensor, size: int) -> Tensor:
        """(size, B + size - 1, V), which is 0 where ``place`` does not reach."""
        batch, vertices = like.shape
        room = like.new_empty(size, batch + size - 1, vertices)
        room.as_strided((size - 1, size * vertices), ((batch + size) * vertices, 1), batch * vertices).zero_()
        return room

    def add(self, first: int, count: int) -> None:
        """Add the ``count`` shifts from ``first`` on, which ``place`` holds."""
        self._as_j.add_(self.place[:count].sum(0))
        self._as_k[first : first + self._room.shape[1]].add_(self._room[:count].sum(0))

    def total(self) -> Tensor:
        """(B, V) as [point, i]."""
        batch = len(self._as_j)
        self._as_j.add_(self._as_k[:batch])
        self._as_j[: len(self._as_k) - batch].add_(self._as_k[batch:])
        return self._as_j


class _Angles:
    """Sums over pairs j, k of huber(cos of one side - cos of the other), with its gradient in the first side's s.

    Of cos = u_j u_k (s_j + s_k - s_jk), with respect to s_j: u_j u_k - u_j^2 cos; to s_jk: -u_j u_k.

    Args:
        one: The side that is differentiated.
        other: The other side, of the same vertices.
        vertices: (V,) which i the sides' u and h are of; None is all.
    """

    def __init__(self, one: _Side, other: _Side, vertices: Tensor | None = None) -> None:
        self._sides, self._vertices = (one, other), vertices
        self._batch = one.s.shape[1]
        self._shifts = self._batch // 2
        block = self._batch * one.u.shape[1]
        self._size = min(self._shifts, -(-BLOCK.get(one.s.device.type, LARGE_BLOCK) // block))

    def sums(self) -> Tensor:
        """(B,) one sum for each vertex i, 0 for those that are not of ``vertices``."""
        u = self._sides[0].u[: self._batch]
        room = _PairSums.room_for(u, self._size)
        turns, pulls = _PairSums(u, room, self._shifts), _PairSums(u, room, self._shifts)
        values, across = torch.zeros_like(u[0]), []
        for first, mine, cosine, gap, spare in self._blocks(turns.place):
            slope, huber = _huber(gap, spare)
            if self._twice(first, len(gap)):
                slope[-1].mul_(0.5)
                huber[-1].mul_(0.5)
            values += huber.view(-1, len(values)).sum(0)
            cosine.mul_(slope)
            turns.add(first, len(gap))
            pull = torch.mul(slope, u, out=cosine).mul_(mine.u_k)
            pulls.add(first, len(gap))
            across.append(pull.sum(-1))
        self._near, self._across = pulls.total().sub_(turns.total().mul_(u).mul_(u)), torch.cat(across)
        return self._placed(values)

    def _placed(self, of_vertices: Tensor) -> Tensor:
        """(..., B) of (..., V), 0 elsewhere."""
        if self._vertices is None:
            return of_vertices
        everywhere = of_vertices.new_zeros(*of_vertices.shape[:-1], self._batch)
        return everywhere.index_copy_(-1, self._vertices, of_vertices)

    def gradient(self, weights: Tensor) -> Tensor:
        """(B, B) of the weighted sum of ``sums``; equal weights, on a CPU, spare a second pass over the angles."""
        weights = weights if self._vertices is None else weights[self._vertices]
        if weights.device.type == "cpu" and bool((weights == weights[0]).all()):
            across = self._across * weights[0]
        else:
            across = self._again(weights)
        around = weights.new_zeros(self._batch, self._batch + self._shifts)
        around.as_strided(across.shape, (1, self._batch + self._shifts + 1), 1).copy_(across)
        around[:, : self._shifts].add_(around[:, self._batch :])
        return self._placed(self._near * weights).sub_(around[:, : self._batch])

    def _again(self, weights: Tensor) -> Tensor:
        """(S, B) weighted sums over i of slope u_j u_k."""
        u, found = self._sides[0].u[: self._batch], []
        for first, mine, _, gap, _ in self._blocks(u.new_empty(self._size, *u.shape)):
            pull = gap.clamp_(-1, 1).mul_(u).mul_(mine.u_k)
            if self._twice(first, len(gap)):
                pull[-1].mul_(0.5)
            found.append(pull @ weights)
        return torch.cat(found)

    def _twice(self, first: int, count: int) -> bool:
        """Whether the last shift of a block meets every pair twice."""
        return self._batch % 2 == 0 and first + count > self._shifts

    def _blocks(self, place: Tensor) -> Iterator[tuple[int, _Block, Tensor, Tensor, Tensor]]:
        """Of each block: first shift, my side, and [shift, j, i] my cosines, these less theirs, and a tensor to spare.

        The cosines are written to ``place``; the next block overwrites all three.
        """
        work, first = place.new_empty(2, *place.shape), 1
        for mine, theirs in zip(*(side.blocks(self._size) for side in self._sides), strict=True):
            count = len(mine.u_k)
            cosine, (gap, spare) = place[:count], work[:, :count]
            torch.addcmul(mine.h, mine.u, mine.s_jk, value=-1, out=spare)
            torch.mul(mine.u, mine.h_k, out=cosine).addcmul_(mine.u_k, spare)
            torch.addcmul(theirs.h, theirs.u, theirs.s_jk, value=-1, out=spare)
            torch.addcmul(cosine, theirs.u, theirs.h_k, value=-1, out=gap).addcmul_(theirs.u_k, spare, value=-1)
            yield first, mine, cosine, gap, spare
            first += count


def _huber(gap: Tensor, spare: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and value of huber, in the place of ``gap`` and ``spare``; a CPU looks first whether any gap is above 1."""
    if gap.device.type == "cpu" and all(abs(float(edge)) <= 1 for edge in gap.aminmax()):
        return gap, torch.addcmul(gap.new_zeros(()), gap, gap, value=0.5, out=spare)
    slope = torch.clamp(gap, -1, 1, out=spare)
    return slope, gap.sub_(slope, alpha=0.5).mul_(slope)
