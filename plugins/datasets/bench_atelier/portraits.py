"""Portraits: a face drawn in a pose, before a blurred background, lit and photographed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bench_atelier.backgrounds import Floats, Shape, noise, relief
from bench_atelier.beards import draw_beard, draw_mustache
from bench_atelier.colours import parse_colour, sample_shade, shade
from bench_atelier.face_parts import (
    SMILE_LIFT,
    SMILE_WIDENING,
    draw_ears,
    draw_eyes,
    draw_mouth,
    draw_nose,
    draw_skull,
    draw_wrinkles,
)
from bench_atelier.face_wear import draw_body, draw_earrings
from bench_atelier.faces import Face
from bench_atelier.hair import draw_back_hair, draw_front_hair
from bench_atelier.head import HEIGHT, PUPIL, WIDTH, Head, HeadPose, Place
from bench_atelier.headwear import draw_glasses, draw_hat
from bench_atelier.render import render_svg

LANDMARKS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")


def sample_head_pose(generator: np.random.Generator) -> HeadPose:
    """Return how a head is held: turned, nodded and tilted a little, lit from some side."""

    def around(spread: float) -> float:
        """Return a number that is seldom far from zero."""
        first, second = generator.uniform(-spread, spread, size=2)
        return round(float(first + second) / 2, 2)

    return HeadPose(
        yaw=around(32),
        pitch=around(14),
        roll=around(9),
        zoom=round(1 + around(0.07), 3),
        shift_x=around(4),
        shift_y=around(5),
        light=round(float(generator.uniform(-1, 1)), 2),
    )


def draw_face(face: Face, pose: HeadPose) -> str:
    """Return an SVG of the face in the pose, 178 x 218 pixels, on a transparent ground."""
    head = Head(face, pose)
    parts = (
        draw_back_hair(head),
        draw_body(head),
        draw_ears(head),
        draw_skull(head),
        draw_beard(head),
        draw_wrinkles(head),
        draw_mouth(head),
        draw_nose(head),
        draw_mustache(head),
        draw_eyes(head),
        draw_glasses(head),
        draw_front_hair(head),
        draw_earrings(head),
        draw_hat(head),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}"><defs>{head.definitions()}</defs>{"".join(parts)}</svg>'
    )


def face_landmarks(face: Face, pose: HeadPose) -> NDArray[np.int64]:
    """Return where the five `LANDMARKS` are seen, (5, 2) int64: x, y in pixels of the portrait.

    Left and right are those of the picture, as in aligned collections of faces.
    """
    head = Head(face, pose)
    corner = face.mouth_width + (SMILE_WIDENING if face.smiling else 0)
    height = face.mouth_height - (SMILE_LIFT if face.smiling else 0)
    places: tuple[Place, ...] = (
        (-PUPIL, 0),
        (PUPIL, 0),
        (0, face.nose_length - 4, 13),
        (-corner, height),
        (corner, height),
    )
    return np.rint([head.place(place) for place in places]).astype(np.int64)


def take_portrait(
    face: Face,
    pose: HeadPose,
    generator: np.random.Generator,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    blurry: bool = False,
) -> NDArray[np.uint8]:
    """Return a photograph (H, W, 3) uint8 of the face; `size` is (width, height) in pixels."""
    drawing = render_svg(draw_face(face, pose))
    layer = drawing.transpose(2, 0, 1).astype(np.float32, order="C")  # (4, H, W)
    person, alpha = layer[:3], layer[3] / np.float32(255)
    shape: Shape = (HEIGHT, WIDTH)
    person *= _side_light(drawing[..., 3], pose)
    picture = _background(generator, shape)
    person -= picture
    person *= alpha
    picture += person
    picture *= _cast(generator)
    return _develop(picture, generator, size=size, blurry=blurry)


def _side_light(alpha: NDArray[np.uint8], pose: HeadPose) -> Floats:
    """Return the light on the person (H, W), about 1: from one side, weaker at the edges."""
    columns = np.linspace(-1, 1, alpha.shape[1], dtype=np.float32)[None, :]
    softened = Image.fromarray(alpha).filter(ImageFilter.BoxBlur(5))
    body = np.asarray(softened, dtype=np.float32) / np.float32(255)
    edges = relief(body) * np.float32(0.8) - (1 - body) * np.float32(0.25)
    return np.asarray(1 + columns * np.float32(0.16 * pose.light) + edges, dtype=np.float32)


def _background(generator: np.random.Generator, shape: Shape) -> Floats:
    """Return what is behind the person (3, H, W) float32 in 0..255, out of focus."""
    kind = generator.random()
    if kind < 0.4:
        return _studio(generator, shape)
    picture = _outdoors(generator, shape) if kind < 0.72 else _press_wall(generator, shape)
    return np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")


def _studio(generator: np.random.Generator, shape: Shape) -> Floats:
    names = ("grey", "charcoal", "silver", "cream", "sky", "navy", "black", "white", "brown",
             "teal", "burgundy")  # fmt: skip
    tone = parse_colour(sample_shade(generator, names[int(generator.integers(len(names)))]))
    ground = np.array(tone, dtype=np.float32)[:, None, None]
    rows = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    aside = np.float32(generator.uniform(-0.7, 0.7))
    glow = np.float32(generator.uniform(0, 50)) * (1 - (columns - aside) ** 2 - rows**2 * 0.5)
    return np.asarray(ground + glow + noise(generator, shape, (5, 4)) * 5, dtype=np.float32)


def _outdoors(generator: np.random.Generator, shape: Shape) -> Image.Image:
    """Return foliage, sky or lamps of the night as discs of light far out of focus."""
    height, width = shape
    scenes = (
        ("#3d5a2c", ("green", "olive", "khaki", "mint", "mustard")),
        ("#9fc0dc", ("sky", "white", "silver", "mint", "beige")),
        ("#1d1a24", ("mustard", "orange", "red", "denim", "brown")),
        ("#8a7a68", ("beige", "brown", "grey", "khaki", "cream")),
    )
    ground, names = scenes[int(generator.integers(len(scenes)))]
    picture = Image.new("RGB", (width, height), ground)
    brush = ImageDraw.Draw(picture)
    for _ in range(int(generator.integers(14, 30))):
        x, y = int(generator.integers(width)), int(generator.integers(height))
        radius = int(generator.integers(6, 30))
        colour = sample_shade(generator, names[int(generator.integers(len(names)))])
        tone = parse_colour(shade(colour, float(generator.uniform(0.7, 1.1))))
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
    return picture.filter(ImageFilter.BoxBlur(int(generator.integers(5, 10))))


def _press_wall(generator: np.random.Generator, shape: Shape) -> Image.Image:
    """Return the wall behind a red carpet, with rows of emblems."""
    height, width = shape
    grounds = ("white", "navy", "black", "burgundy", "red", "silver", "blue")
    ground = grounds[int(generator.integers(len(grounds)))]
    ink = "charcoal" if ground in ("white", "silver") else "white"
    accents = ("red", "mustard", "sky", "grey")
    accent = accents[int(generator.integers(len(accents)))]
    picture = Image.new("RGB", (width, height), parse_colour(sample_shade(generator, ground)))
    brush = ImageDraw.Draw(picture)
    step_x, step_y = int(generator.integers(38, 62)), int(generator.integers(26, 44))
    start_x, start_y = int(generator.integers(step_x)), int(generator.integers(step_y))
    for row in range(-1, height // step_y + 2):
        for column in range(-1, width // step_x + 2):
            x = start_x + column * step_x + (row % 2) * step_x // 2
            y = start_y + row * step_y
            if (row + column) % 2:
                brush.ellipse((x - 8, y - 8, x + 8, y + 8), fill=parse_colour(accent))
                brush.ellipse((x - 4, y - 4, x + 4, y + 4), fill=parse_colour(ink))
            else:
                brush.rectangle((x - 15, y - 5, x + 15, y - 1), fill=parse_colour(ink))
                brush.rectangle((x - 10, y + 2, x + 10, y + 5), fill=parse_colour(ink))
    return picture.filter(ImageFilter.BoxBlur(round(float(generator.uniform(1.2, 3)), 1)))


def _cast(generator: np.random.Generator) -> Floats:
    """Return exposure times the colour of the light, (3, 1, 1)."""
    exposure, warmth = generator.uniform(0.86, 1.1), generator.uniform(-0.08, 0.1)
    cast = np.array((1 + warmth * 0.6, 1, 1 - warmth)) * exposure
    return np.asarray(cast[:, None, None], dtype=np.float32)


def _develop(
    picture: Floats, generator: np.random.Generator, *, size: tuple[int, int], blurry: bool
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8 as it is saved: at its size, blurred, then noisy."""
    np.clip(picture, 0, 255, out=picture)
    image = Image.fromarray(picture.transpose(1, 2, 0).astype(np.uint8, order="C"))
    radius = generator.uniform(1.6, 2.4) if blurry else generator.uniform(0.1, 0.6)
    image = image.filter(ImageFilter.BoxBlur(float(radius)))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    grain = int(generator.integers(1, 5))
    speckle = generator.integers(-grain, grain + 1, size=(size[1], size[0]), dtype=np.int16)
    noisy = np.asarray(image).astype(np.int16) + speckle[..., None]
    np.clip(noisy, 0, 255, out=noisy)
    return noisy.astype(np.uint8)
