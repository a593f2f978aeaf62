"""Photographs of drawings: the garment laid on a ground, lit, seen at an angle, blurred, noisy.

Arithmetic stays in 8-bit Pillow operations and elementwise float32, without transcendental
functions of arrays: those differ in the last bit between processors, and a file's bytes with them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench_atelier.backgrounds import Floats, Shape, noise, relief, sample_background

# quadrilaterals of an image, each with the upright box of the result that it fills
Mesh = list[tuple[tuple[int, int, int, int], tuple[float, ...]]]


@dataclass(frozen=True)
class Camera:
    """How far photographs stray from a frontal, evenly lit, sharp one; 0 is a studio shot.

    `rotation` in degrees to either side, `fill` the share of the picture that the garment takes
    (for `draw_garment`), `zoom` the range of scales beyond that, which crops; `shift` the share of
    the picture by which the garment leaves the middle, `tilt` the share by which a side shrinks in
    perspective, `wobble` the pixels by which cloth lies out of shape, `lighting` the strength
    of gradients and of the colour of the light, `noise` the amplitude in grey levels.
    """

    rotation: float = 14
    fill: tuple[float, float] = (0.7, 1.0)
    zoom: tuple[float, float] = (0.95, 1.12)
    shift: float = 0.08
    tilt: float = 0.1
    wobble: float = 5
    lighting: float = 0.3
    blur: tuple[float, float] = (0.1, 0.8)
    noise: int = 6


def take_photograph(
    drawing: NDArray[np.uint8],
    generator: np.random.Generator,
    *,
    hanging: bool,
    camera: Camera,
) -> NDArray[np.uint8]:
    """Return a photograph (H, W, 3) uint8 of a drawing (H, W, 4) uint8 of the same size."""
    shape: Shape = (drawing.shape[0], drawing.shape[1])
    flat = Image.fromarray(drawing)
    posed = distort(flat, distortion(flat.size, generator, camera, hanging=hanging))
    layer = np.asarray(posed).transpose(2, 0, 1).astype(np.float32, order="C")  # (4, H, W)
    garment, alpha = layer[:3], layer[3] / np.float32(255)
    softened = posed.getchannel("A").filter(ImageFilter.BoxBlur(int(generator.integers(3, 8))))
    garment *= folds(softened, generator, hanging=hanging)
    picture = sample_background(generator, shape, hanging=hanging)
    picture *= 1 - _shadow(softened, generator, hanging=hanging)
    garment -= picture
    garment *= alpha
    picture += garment
    light, tint = room_light(generator, shape, camera)
    picture *= light
    picture *= tint
    return develop(picture, generator, camera)


def encode_jpeg(picture: NDArray[np.uint8], *, quality: int) -> bytes:
    """Return the JPEG file of a picture (H, W, 3) uint8."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def distortion(
    size: tuple[int, int], generator: np.random.Generator, camera: Camera, *, hanging: bool
) -> Mesh:
    """Return the mesh that turns, tilts, moves and pulls an image of `size` (width, height)."""
    width, height = size
    turn = float(generator.uniform(-camera.rotation, camera.rotation)) * (0.3 if hanging else 1)
    zoom = float(generator.uniform(*camera.zoom))
    moved_x, moved_y = generator.uniform(-camera.shift, camera.shift, size=2) * (width, height)
    tilt_x, tilt_y = generator.uniform(-camera.tilt, camera.tilt, size=2)
    columns, rows = 4, 5
    pulls = generator.uniform(-camera.wobble, camera.wobble, size=(rows + 1, columns + 1, 2))
    radians = np.deg2rad(turn)
    cosine, sine = round(float(np.cos(radians)), 6), round(float(np.sin(radians)), 6)

    def source(row: int, column: int) -> tuple[float, float]:
        """Return the point of the drawing that a node of the mesh shows."""
        x = (column / columns - 0.5) * width - moved_x
        y = (row / rows - 0.5) * height - moved_y
        shrink = 1 + tilt_x * x / width + tilt_y * y / height
        x, y = x / (zoom * shrink), y / (zoom * shrink)
        pull_x, pull_y = pulls[row, column]
        return (
            round(cosine * x + sine * y + width / 2 + pull_x, 3),
            round(-sine * x + cosine * y + height / 2 + pull_y, 3),
        )

    mesh: Mesh = []
    for row in range(rows):
        for column in range(columns):
            box = (
                column * width // columns,
                row * height // rows,
                (column + 1) * width // columns,
                (row + 1) * height // rows,
            )
            corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            quad = tuple(value for corner in corners for value in source(*corner))
            mesh.append((box, quad))
    return mesh


def distort(image: Image.Image, mesh: Mesh) -> Image.Image:
    """Return the image, of any mode, seen through a mesh of `distortion`; beyond it is 0."""
    return image.transform(
        image.size, Image.Transform.MESH, mesh, resample=Image.Resampling.BILINEAR
    )


def folds(softened: Image.Image, generator: np.random.Generator, *, hanging: bool) -> Floats:
    """Return the light on the cloth (H, W), about 1: creases, and edges that turn away.

    `softened` is the blurred outline: its slope stands for the roundness of the garment.
    """
    shape: Shape = (softened.height, softened.width)
    # what hangs falls in upright folds; what lies is crumpled
    cells = (4, 13) if hanging else (int(generator.integers(7, 11)), int(generator.integers(6, 9)))
    broad, fine = noise(generator, shape, cells), noise(generator, shape, (20, 15))
    creases = relief(np.abs(broad)) * np.float32(generator.uniform(0.35, 1.0))
    creases += relief(fine) * np.float32(0.1) + broad * np.float32(0.05)
    body = np.asarray(softened, dtype=np.float32) / np.float32(255)
    edges = relief(body) * np.float32(1.1) - (1 - body) * np.float32(0.22)
    return np.asarray(1 + np.clip(creases, -0.22, 0.16) + edges, dtype=np.float32)


def _shadow(softened: Image.Image, generator: np.random.Generator, *, hanging: bool) -> Floats:
    """Return the share of light (H, W) that the garment takes from the ground around it."""
    reach = int(generator.integers(4, 10)) if hanging else int(generator.integers(2, 6))
    aside = int(generator.integers(-reach, reach + 1))
    fallen = Image.new("L", softened.size)
    fallen.paste(softened, (aside, reach // 2 + 1))
    strength = np.float32(generator.uniform(0.35, 0.65) / 255)
    return np.asarray(fallen, dtype=np.float32) * strength


def room_light(
    generator: np.random.Generator, shape: Shape, camera: Camera
) -> tuple[Floats, Floats]:
    """Return the light of the room (H, W), a gradient and an exposure, and its colour (3, 1, 1)."""
    strength = camera.lighting
    rows = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32)[None, :]
    slope_y, slope_x = generator.uniform(-strength, strength, size=2).astype(np.float32)
    vignette = np.float32(generator.uniform(0, strength))
    exposure = np.float32(1 + generator.uniform(-0.7, 0.4) * strength)
    plane = exposure + rows * slope_y + columns * slope_x - (rows**2 + columns**2) * vignette
    warmth = generator.uniform(-0.3, 0.4) * strength
    tint = np.array((1 + warmth * 0.6, 1, 1 - warmth), dtype=np.float32)
    return plane, tint[:, None, None]


def develop(picture: Floats, generator: np.random.Generator, camera: Camera) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8 as the sensor saves it: blurred, then noisy."""
    np.clip(picture, 0, 255, out=picture)
    image = Image.fromarray(picture.transpose(1, 2, 0).astype(np.uint8, order="C"))
    blurred = image.filter(ImageFilter.BoxBlur(float(generator.uniform(*camera.blur))))
    grain = int(generator.integers(camera.noise + 1))
    if grain == 0:
        return np.array(blurred)
    speckle = generator.integers(-grain, grain + 1, size=picture.shape[1:], dtype=np.int16)
    noisy = np.asarray(blurred).transpose(2, 0, 1) + speckle
    np.clip(noisy, 0, 255, out=noisy)
    return noisy.transpose(1, 2, 0).astype(np.uint8, order="C")
