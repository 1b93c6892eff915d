"""The compiled loops of all rasterisers.

They live in one file because numba's disk cache looks at the file of a kernel
only, not at those of the functions it calls. They take no classes of our own:
the cache's index could not be read any more once one is renamed. They trust
their arguments (`checks` looks at them first), and use nothing but correctly
rounded arithmetic, no library's exp: equal input gives equal bits on every
machine.

Frame t's people are rows `ptr[t]` to `ptr[t + 1] - 1`. `reach` is the
truncation in px. A value v is kept as min(`unit` v, `ceiling`) + `half`, cut to
the type of the map.
"""

from __future__ import annotations

import numpy as np

from posemill.transforms.compiled import compiled, inlined

MIN_SCORE = np.float32(1e-3)
LANES = 8  # pixels of a limb computed at once; its maps must be as wide
BLOCK_ROWS = 128  # people whose Gaussians are computed at once, more if a frame has more

_LN_2 = 0.6931471805599453
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
# 2^f = 1 + f (c1 + f (c2 + ...)) to 1e-7 of itself for f from -1/2 to 1/2, the
# polynomial of least relative error (fitted by Lawson's iteration).
_C1, _C2, _C3 = np.float32(0.69314698), np.float32(0.24022242), np.float32(0.055507337)
_C4, _C5 = np.float32(0.009671513), np.float32(0.0013264727)
_MAX_POWER = np.float32(126.0)  # 2^-126 is the least normal float32
# A limb's pixels below 2^-20 of its score, 9.5e-7, stay zero.
_LIMB_POWER = np.float32(20.0)
_ANYWHERE = 1e18  # px


@compiled
def rows_in_order(ptr, num_rows):  # type: ignore[no-untyped-def]
    """Whether `ptr` never decreases and stays within 0 to `num_rows`."""
    if ptr[0] < 0 or ptr[-1] > num_rows:
        return False
    in_order = True
    for t in range(len(ptr) - 1):
        in_order &= ptr[t] <= ptr[t + 1]
    return in_order


@compiled
def _seen(score):  # type: ignore[no-untyped-def]
    """Whether a joint of this score is drawn; false for NaN and infinity."""
    return score >= MIN_SCORE and score < np.inf


@compiled
def _power(z):  # type: ignore[no-untyped-def]
    """2^-z for z >= 0, to 2e-7 of itself; 2^-0 = 1 exactly, and never more than 1."""
    z = min(z, _MAX_POWER)
    whole = np.int32(z + _HALF)
    f = np.float32(whole) - z  # -1/2 to 1/2
    fraction = ((((_C5 * f + _C4) * f + _C3) * f + _C2) * f + _C1) * f + _ONE
    return fraction * np.int32((np.int32(127) - whole) << 23).view(np.float32)


@compiled
def _falloff(sigma):  # type: ignore[no-untyped-def]
    """a, where exp(-d^2 / (2 sigma^2)) = 2^(-a d^2)."""
    return 1.0 / (2.0 * _LN_2 * sigma * sigma)


@compiled
def _span(low, high, size):  # type: ignore[no-untyped-def]
    """First pixel and number of pixels of a line of `size` within low .. high, perhaps none."""
    # Also false for NaN, and before the cast to integers could overflow.
    if not (high >= 0.0 and low <= size - 1.0):
        return 0, 0
    first = int(np.ceil(max(low, 0.0)))
    return first, int(np.floor(min(high, size - 1.0))) + 1 - first


@compiled
def _joint_box(x, y, score, reach, height, width):  # type: ignore[no-untyped-def]
    """x0, y0, columns and rows of the pixels that a joint reaches; none where it is missing."""
    x0, columns = _span(x - reach, x + reach, width)
    y0, rows = _span(y - reach, y + reach, height)
    if not _seen(score) or columns <= 0 or rows <= 0:
        return 0, 0, 0, 0
    return x0, y0, columns, rows


@compiled
def _most(reach, size):  # type: ignore[no-untyped-def]
    """The most pixels of a line of `size` within `reach` of a point."""
    return int(min(2.0 * reach, size - 1.0)) + 1


@compiled
def _empty_patches(ptr, reach, height, width):  # type: ignore[no-untyped-def]
    """Room for Gaussians of one joint of B people, each a column times a row.

    Corner and extent (2, B), in x and y: first pixel and number of pixels on the
    map. Offset (2, B): from the joint to the corner, px. Peak (B,): 0 where
    nothing is to be drawn. Across (w, B) and down (h, B): the values along x and
    y, with zeros after the extent; w and h are the most pixels that a Gaussian
    reaches, so that all loops are equally long, which is faster.
    """
    capacity = BLOCK_ROWS
    for t in range(len(ptr) - 1):
        capacity = max(capacity, ptr[t + 1] - ptr[t])
    corner, extent = np.empty((2, capacity), np.int32), np.empty((2, capacity), np.int32)
    offset, peak = np.empty((2, capacity), np.float32), np.empty(capacity, np.float32)
    across = np.empty((_most(reach, width), capacity), np.float32)
    down = np.empty((_most(reach, height), capacity), np.float32)
    return corner, extent, offset, peak, across, down


@compiled
def _block_stop(ptr, start, patches):  # type: ignore[no-untyped-def]
    """The frame after the last whose people, from frame `start` on, fit into `patches`."""
    stop, rows = start + 1, ptr[start] + len(patches[3])
    while stop < len(ptr) - 1 and ptr[stop + 1] <= rows:
        stop += 1
    return stop


@compiled
def _fill_patches(xy, score, k, first, stop, sigma, reach, size, patches):  # type: ignore[no-untyped-def]
    """Joint k of the people `first` .. `stop` - 1, on maps of `size` (height, width)."""
    height, width = size
    corner, extent, offset, peak, across, down = patches
    for b in range(stop - first):
        x, y = np.float64(xy[first + b, k, 0]), np.float64(xy[first + b, k, 1])
        c = score[first + b, k]
        x0, y0, columns, rows = _joint_box(x, y, c, reach, height, width)
        corner[0, b], corner[1, b] = x0, y0
        extent[0, b], extent[1, b] = columns, rows
        offset[0, b], offset[1, b] = np.float32(x0 - x), np.float32(y0 - y)
        peak[b] = c if columns > 0 else _ZERO
    falloff = np.float32(_falloff(sigma))
    _fill_profiles(offset[0], extent[0], stop - first, falloff, across)
    _fill_profiles(offset[1], extent[1], stop - first, falloff, down)


@compiled
def _fill_profiles(offset, extent, count, falloff, lines):  # type: ignore[no-untyped-def]
    for n in range(len(lines)):
        pixel, step = np.int32(n), np.float32(n)
        for b in range(count):
            distance = offset[b] + step
            value = _power(distance * distance * falloff)
            lines[n, b] = value if pixel < extent[b] else _ZERO


@inlined
def _put(maps, at, factor, across, b, columns, half, add):  # type: ignore[no-untyped-def]
    for i in range(columns):
        value = maps.dtype.type(factor * across[np.uintp(i), np.uintp(b)] + half)
        # Unsigned: numba would first see whether a signed index counts from the end.
        pixel = at[0], at[1], at[2], at[3] + np.uintp(i)
        if add:
            maps[pixel] += value
        else:
            maps[pixel] = max(maps[pixel], value)


@inlined
def _put_row(maps, at, factor, across, b, columns, half, add):  # type: ignore[no-untyped-def]
    """`factor` times the values along x of patch b into `columns` pixels from `maps[at]` on."""
    if columns == 4:  # as for a sigma of 0.6: a loop of known length is faster
        _put(maps, at, factor, across, b, 4, half, add)
    else:
        _put(maps, at, factor, across, b, columns, half, add)


@compiled
def _draw_block(patches, ptr, start, stop, unit, ceiling, half, add, out, k):  # type: ignore[no-untyped-def]
    """The patches of frames `start` to `stop` - 1 into the maps `out[k]`."""
    _, _, height, width = out.shape
    corner, _, _, peaks, across, down = patches
    for t in range(start, stop):
        for b in range(ptr[t] - ptr[start], ptr[t + 1] - ptr[start]):
            x0, y0 = corner[0, b], corner[1, b]
            peak = min(unit * peaks[b], ceiling)
            if peak > _ZERO:
                columns = min(len(across), width - x0)
                for j in range(min(len(down), height - y0)):
                    row = peak * down[np.uintp(j), np.uintp(b)]
                    at = np.uintp(k), np.uintp(t), np.uintp(y0 + j), np.uintp(x0)
                    _put_row(out, at, row, across, b, columns, half, add)


@compiled
def draw_joints(xy, score, ptr, sigma, reach, unit, ceiling, half, add, out):  # type: ignore[no-untyped-def]
    num_keypoints, num_frames, height, width = out.shape
    size = height, width
    patches = _empty_patches(ptr, reach, height, width)
    for k in range(num_keypoints):
        start = 0
        while start < num_frames:
            stop = _block_stop(ptr, start, patches)
            _fill_patches(xy, score, k, ptr[start], ptr[stop], sigma, reach, size, patches)
            _draw_block(patches, ptr, start, stop, unit, ceiling, half, add, out, k)
            start = stop


@compiled
def erase_joints(xy, score, ptr, reach, out):  # type: ignore[no-untyped-def]
    num_keypoints, num_frames, _, _ = out.shape
    for k in range(num_keypoints):
        for t in range(num_frames):
            for p in range(ptr[t], ptr[t + 1]):
                _erase_joint(xy, score, p, k, reach, out, t)


@inlined
def _erase_joint(xy, score, p, k, reach, maps, t):  # type: ignore[no-untyped-def]
    _, _, height, width = maps.shape
    x, y = np.float64(xy[p, k, 0]), np.float64(xy[p, k, 1])
    x0, y0, columns, rows = _joint_box(x, y, score[p, k], reach, height, width)
    for j in range(y0, y0 + rows):
        for i in range(x0, x0 + columns):
            maps[np.uintp(k), np.uintp(t), np.uintp(j), np.uintp(i)] = 0


@compiled
def accumulate_joints(xy, score, ptr, weights, sigma, reach, add, out):  # type: ignore[no-untyped-def]
    num_keypoints, _, height, width = out.shape
    size = height, width
    patches = _empty_patches(ptr, reach, height, width)
    plane = np.zeros((1, 1, height, width), np.float32)  # one joint in one frame
    for k in range(num_keypoints):
        start = 0
        while start < len(ptr) - 1:
            stop = _block_stop(ptr, start, patches)
            _fill_patches(xy, score, k, ptr[start], ptr[stop], sigma, reach, size, patches)
            _add_block(patches, ptr, start, stop, weights, add, plane, out, k)
            start = stop


@compiled
def _add_block(patches, ptr, start, stop, weights, add, plane, out, k):  # type: ignore[no-untyped-def]
    """The patches of frames `start` to `stop` - 1, weighted, to the maps `out[k]`."""
    _, num_channels, height, width = out.shape
    corner, _, _, peaks, across, down = patches
    for t in range(start, stop):
        first, last = ptr[t] - ptr[start], ptr[t + 1] - ptr[start]
        direct = add or last - first == 1
        for b in range(first, last):
            x0, y0, peak = corner[0, b], corner[1, b], peaks[b]
            if peak > _ZERO:
                columns = min(len(across), width - x0)
                for j in range(min(len(down), height - y0)):
                    row = peak * down[np.uintp(j), np.uintp(b)]
                    y, x = np.uintp(y0 + j), np.uintp(x0)
                    if not direct:
                        at = np.uintp(0), np.uintp(0), y, x
                        _put_row(plane, at, row, across, b, columns, _ZERO, False)
                        continue
                    for c in range(num_channels):
                        share = weights[np.uintp(t), np.uintp(c)] * row
                        if share != _ZERO:
                            at = np.uintp(k), np.uintp(c), y, x
                            _put_row(out, at, share, across, b, columns, _ZERO, True)
        if not direct:  # only when all people are in
            size = len(across), len(down)
            _move(plane, corner, peaks, (first, last), size, weights, t, out, k)


@inlined
def _move(plane, corner, peaks, people, size, weights, t, out, k):  # type: ignore[no-untyped-def]
    """Add people's patches of `plane` to `out`, weighted; clear each, so it counts once."""
    _, num_channels, height, width = out.shape
    for b in range(people[0], people[1]):
        x0, y0 = corner[0, b], corner[1, b]
        if peaks[b] > _ZERO:
            x1, y1 = min(x0 + size[0], width), min(y0 + size[1], height)
            for c in range(num_channels):
                weight = weights[np.uintp(t), np.uintp(c)]
                if weight != _ZERO:
                    for j in range(y0, y1):
                        for i in range(x0, x1):
                            y, x = np.uintp(j), np.uintp(i)
                            value = weight * plane[np.uintp(0), np.uintp(0), y, x]
                            out[np.uintp(k), np.uintp(c), y, x] += value
            for j in range(y0, y1):
                for i in range(x0, x1):
                    plane[np.uintp(0), np.uintp(0), np.uintp(j), np.uintp(i)] = _ZERO


@compiled
def _limb(xy, score, p, pair):  # type: ignore[no-untyped-def]
    """The lesser score of person p's limb, 0 where it is missing, and its ends ax, ay, bx, by."""
    a, b = pair[0], pair[1]
    ends = (
        np.float64(xy[p, a, 0]), np.float64(xy[p, a, 1]),
        np.float64(xy[p, b, 0]), np.float64(xy[p, b, 1]),
    )  # fmt: skip
    seen = _seen(score[p, a]) and _seen(score[p, b])
    if not (seen and np.isfinite(ends[0] + ends[1] + ends[2] + ends[3])):
        return _ZERO, ends
    return min(score[p, a], score[p, b]), ends


@compiled
def _downward(ends):  # type: ignore[no-untyped-def]
    """The ends from top to bottom: one order for both, so that their maps are bit-equal."""
    ax, ay, bx, by = ends
    if by < ay or (by == ay and bx < ax):
        return bx, by, ax, ay
    return ends


@compiled
def _direction(ax, ay, bx, by):  # type: ignore[no-untyped-def]
    """The unit vector from a to b, any where they coincide, and their distance."""
    dx, dy = bx - ax, by - ay
    length = np.sqrt(dx * dx + dy * dy)
    if length > 0.0:
        return dx / length, dy / length, length
    return 1.0, 0.0, length


@compiled
def _limb_box(ends, reach, height, width):  # type: ignore[no-untyped-def]
    """x0, x1, y0, y1 of the pixels within `reach` of the ends' bounding box; x1, y1 excluded."""
    ax, ay, bx, by = ends
    x0, columns = _span(min(ax, bx) - reach, max(ax, bx) + reach, width)
    y0, rows = _span(min(ay, by) - reach, max(ay, by) + reach, height)
    return x0, x0 + columns, y0, y0 + rows


@compiled
def _strip(ax, ay, ux, uy, radius, y0):  # type: ignore[no-untyped-def]
    """Where rows are within `radius` of the line through a along u.

    From `left` + (j - y0) `slope` on over a length of `wide`, in row j.
    """
    if abs(uy) < 1e-12:
        return -_ANYWHERE, 0.0, 2.0 * _ANYWHERE
    slope, wide = ux / uy, 2.0 * radius / abs(uy)
    return ax + (y0 - ay) * slope - 0.5 * wide, slope, wide


@inlined
def _on_strip(left, wide, x0, x1):  # type: ignore[no-untyped-def]
    """First and stop of the pixels, of x0 to x1 - 1, on a strip; perhaps one too many."""
    low, high = max(left, np.float64(x0)), min(left + wide, x1 - 1.0)
    if not low <= high:
        return x0, x0
    return int(low), int(high) + 1


@compiled
def _limb_scale(sigma):  # type: ignore[no-untyped-def]
    """The unit, px^-1, where a distance of d is a factor of 2^-(d^2), and a limb's radius, px."""
    scale = np.sqrt(_falloff(sigma))
    # A little more, as each pixel is looked at.
    return scale, 1.000001 * np.sqrt(np.float64(_LIMB_POWER)) / scale


@compiled
def draw_limbs(xy, score, ptr, limbs, sigma, reach, unit, ceiling, half, add, out):  # type: ignore[no-untyped-def]
    num_limbs, num_frames, _, _ = out.shape
    scale, radius = _limb_scale(sigma)
    for limb in range(num_limbs):
        pair = limbs[limb, 0], limbs[limb, 1]
        for t in range(num_frames):
            for p in range(ptr[t], ptr[t + 1]):
                peak, ends = _limb(xy, score, p, pair)
                if peak > _ZERO:
                    top = min(unit * peak, ceiling)
                    _draw_limb(_downward(ends), top, scale, radius, reach, half, add, out, limb, t)


@compiled
def _draw_limb(ends, peak, scale, radius, reach, half, add, maps, limb, t):  # type: ignore[no-untyped-def]
    _, _, height, width = maps.shape
    ax, ay, bx, by = ends
    x0, x1, y0, y1 = _limb_box(ends, reach, height, width)
    ux, uy, length = _direction(ax, ay, bx, by)
    sx, sy = ux * scale, uy * scale
    left, slope, wide = _strip(ax, ay, ux, uy, radius, y0)
    for j in range(y0, y1):
        first, stop = _on_strip(left + (j - y0) * slope, wide, x0, x1)
        for start in range(first, stop, LANES):
            base = min(start, width - LANES)
            gx, gy = base - ax, j - ay
            across, along = np.float32(gx * sy - gy * sx), gx * sx + gy * sy
            before, beyond = np.float32(-along), np.float32(along - length * scale)
            low, high = np.float32(start - base), np.float32(stop - base)
            for n in range(LANES):
                lane = np.float32(n)
                aside = across + lane * np.float32(sy)
                forward = lane * np.float32(sx)
                outside = max(max(before - forward, beyond + forward), _ZERO)
                power = aside * aside + outside * outside
                inside = (power <= _LIMB_POWER) & (lane >= low) & (lane < high)
                value = maps.dtype.type((peak * _power(power) if inside else _ZERO) + half)
                at = np.uintp(limb), np.uintp(t), np.uintp(j), np.uintp(base) + np.uintp(n)
                if add:
                    maps[at] += value
                else:
                    maps[at] = max(maps[at], value)


@compiled
def erase_limbs(xy, score, ptr, limbs, reach, out):  # type: ignore[no-untyped-def]
    """Clear the limbs' boxes: more than was drawn, and faster than to look for that."""
    num_limbs, num_frames, height, width = out.shape
    for limb in range(num_limbs):
        pair = limbs[limb, 0], limbs[limb, 1]
        for t in range(num_frames):
            for p in range(ptr[t], ptr[t + 1]):
                peak, ends = _limb(xy, score, p, pair)
                if peak > _ZERO:
                    x0, x1, y0, y1 = _limb_box(ends, reach, height, width)
                    for j in range(y0, y1):
                        for i in range(x0, x1):
                            out[np.uintp(limb), np.uintp(t), np.uintp(j), np.uintp(i)] = 0


@compiled
def draw_part_fields(xy, score, ptr, limbs, half_width, weighted, out):  # type: ignore[no-untyped-def]
    _, num_frames, height, width = out.shape
    covered = np.zeros((height, width), np.float32)  # by how many people of a frame
    for limb in range(len(limbs)):
        pair = limbs[limb, 0], limbs[limb, 1]
        for t in range(num_frames):
            shared = ptr[t + 1] - ptr[t] > 1
            top, bottom = height, 0
            for p in range(ptr[t], ptr[t + 1]):
                peak, ends = _limb(xy, score, p, pair)
                if peak > _ZERO and ends[:2] != ends[2:]:
                    weight = np.float64(peak) if weighted else 1.0
                    y0, y1 = _add_vectors(ends, weight, half_width, shared, covered, out, limb, t)
                    top, bottom = min(top, y0), max(bottom, y1)
            if shared:
                _average(covered, top, bottom, out, limb, t)


@compiled
def _part_margin(length, half_width):  # type: ignore[no-untyped-def]
    """How far, and a little more, a limb's pixels are from its line and its ends' box."""
    if length < 1.0:
        half_width = max(half_width, 0.75)  # the pixel nearest to its middle
    return half_width + 1e-6


@inlined
def _supports(ends, i, j, half_width):  # type: ignore[no-untyped-def]
    """Whether the limb marks pixel (i, j); exact for coordinates of few binary digits."""
    ax, ay, bx, by = ends
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = (i - ax) * dx + (j - ay) * dy
    across = (i - ax) * dy - (j - ay) * dx
    inside = (along >= 0.0) & (along <= square)
    inside &= across * across <= half_width * half_width * square
    # Such a limb may lie between the pixels: it marks the nearest, on a tie all of them.
    near = (abs(i - 0.5 * (ax + bx)) <= 0.5) & (abs(j - 0.5 * (ay + by)) <= 0.5)
    return inside | ((square < 1.0) & near)


@inlined
def _add_vectors(ends, weight, half_width, shared, covered, out, limb, t):  # type: ignore[no-untyped-def]
    height, width = covered.shape
    ax, ay, bx, by = ends
    ux, uy, length = _direction(ax, ay, bx, by)
    vx, vy = np.float32(weight * ux), np.float32(weight * uy)
    margin = _part_margin(length, half_width)
    x0, x1, y0, y1 = _limb_box(ends, margin, height, width)
    left, slope, wide = _strip(ax, ay, ux, uy, margin, y0)
    for j in range(y0, y1):
        first, stop = _on_strip(left + (j - y0) * slope, wide, x0, x1)
        for i in range(first, stop):
            if _supports(ends, i, j, half_width):
                frame, y, x = np.uintp(t), np.uintp(j), np.uintp(i)
                out[np.uintp(2 * limb), frame, y, x] += vx
                out[np.uintp(2 * limb + 1), frame, y, x] += vy
                if shared:
                    covered[y, x] += _ONE
    return y0, y1


@compiled
def _average(covered, top, bottom, out, limb, t):  # type: ignore[no-untyped-def]
    """Divide sums by the number of people, which is then none, in rows `top` to `bottom` - 1."""
    frame, x_map, y_map = np.uintp(t), np.uintp(2 * limb), np.uintp(2 * limb + 1)
    for j in range(top, bottom):
        y = np.uintp(j)
        for i in range(covered.shape[1]):
            x = np.uintp(i)
            people = max(covered[y, x], _ONE)
            out[x_map, frame, y, x] /= people
            out[y_map, frame, y, x] /= people
            covered[y, x] = _ZERO


@inlined
def _half_bits(value):  # type: ignore[no-untyped-def]
    """The bits of the float16 nearest to a finite float32, on a tie the even one."""
    bits = np.int64(np.float32(value).view(np.int32))
    size = bits & 0x7FFFFFFF
    # Beside 1/2 float32 has the steps of float16's smallest numbers, those below 2^-14.
    beside = np.int32(size).view(np.float32) + _HALF
    small = np.int64(np.float32(beside).view(np.int32)) - 0x3F000000
    # Ten bits of the fraction, rounded, and an exponent that counts from 15, not from 127.
    large = (size + 0xFFF + ((size >> 13) & 1) - (112 << 23)) >> 13
    rounded = small if size < 113 << 23 else large
    return np.uint16((rounded if rounded < 0x7C00 else 0x7C00) | (bits >> 16 & 0x8000))


@compiled
def move_to_halves(maps, halves):  # type: ignore[no-untyped-def]
    """`maps` to `halves`, the bits of float16s and perhaps narrower; clear `maps`."""
    num_maps, num_frames, height, width = halves.shape
    for n in range(num_maps):
        for t in range(num_frames):
            for j in range(height):
                for i in range(width):
                    at = np.uintp(n), np.uintp(t), np.uintp(j), np.uintp(i)
                    halves[at] = _half_bits(maps[at])
    maps[:] = _ZERO
