"""Photographs as people take them: a garment worn in a street, a park, a room, or lying about."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench_atelier.carried import Carried
from bench_atelier.colours import PALETTE, sample_shade, shade
from bench_atelier.composition import (
    FRAME_HEIGHT,
    Photograph,
    Placement,
    darken,
    frame_width,
    part_boxes,
    paste_layers,
    place_in,
    render_layer,
    render_layers,
    shifted,
    tight_box,
    visible_parts,
)
from bench_atelier.garments import HEIGHT, WIDTH, Garment
from bench_atelier.outline import disc, filled, line
from bench_atelier.people import Person, Stance, draw_long_strands, sample_person
from bench_atelier.photograph import Camera, develop, distort, distortion, room_light
from bench_atelier.scenes import GROUNDS, SCENES, draw_ground, draw_scene, rectangle
from bench_atelier.worn import Worn, can_bend_arms, wear

# of the garment, what must stay visible for a thing to pass before it
_LEAST_VISIBLE = 0.4
# people are drawn smaller than they are shown: a street is never as sharp as a studio
_DETAIL = 0.65


@dataclass(frozen=True)
class StreetCamera:
    """How far photographs of the street stray from an upright, unoccluded one; 0 is none.

    `pose` is the chance that an arm is bent and the person leans up to `lean` degrees; `rotation`
    of the camera in degrees to either side; `tilt` the share by which a side shrinks in
    perspective; `wobble` the pixels, of 320 in height, by which shapes are pulled; `distance`
    and `closeness` the shares by which the garment is smaller or larger than 0.62 of the picture;
    `shift` the share of the picture by which it leaves the middle. `occlusion`, `shadow` and
    `motion` are the chances of something before the garment, of a hard shadow across it, of a blur
    of movement. `lighting` is the strength of gradients and colour casts, `blur` the largest radius
    in pixels of a picture of 320 in height, `noise` the largest amplitude in grey levels.
    """

    pose: float = 0.6
    lean: float = 7
    rotation: float = 5
    tilt: float = 0.08
    wobble: float = 2.5
    distance: float = 0.42
    closeness: float = 0.3
    shift: float = 0.14
    occlusion: float = 0.5
    shadow: float = 0.35
    motion: float = 0.2
    lighting: float = 0.42
    blur: float = 1.0
    noise: int = 7


def take_street_photograph(
    garment: Garment | Carried,
    generator: np.random.Generator,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    camera: StreetCamera | None = None,
    parts: bool = False,
) -> Photograph:
    """Return a photograph of the garment in the street, `size` is width and height in pixels.

    `camera` says how hard it is to recognise; without one, a `StreetCamera()` takes it. With
    `parts` the boxes of collar, sleeves and hem are found too.
    """
    camera = camera or StreetCamera()
    person = sample_person(generator)
    worn = wear(garment, person, _sample_stance(garment, generator, camera), generator)
    picture = _sample_place(worn, generator, size)
    placement = _sample_placement(worn, generator, size, camera).with_whole_tiles(worn, size)
    over = ""
    if generator.random() < camera.occlusion:
        over = _sample_occlusion(worn, person, placement, generator, size)
    layers = render_layers(worn, placement, size, over=over, detail=_DETAIL)
    if over and _area(layers.visible) < _LEAST_VISIBLE * _area(layers.garment.getchannel("A")):
        layers = render_layers(worn, placement, size, detail=_DETAIL)
    outline = Image.alpha_composite(layers.behind, layers.garment).getchannel("A")
    _cast_shadow(picture, outline, generator, from_above=worn.from_above)
    depth = 0.35 if worn.stiff else 1.0
    paste_layers(picture, layers, generator, hanging=not worn.from_above, depth=depth)
    if generator.random() < camera.shadow:
        darken(picture, _hard_shadow(generator, size), round(float(generator.uniform(0.2, 0.4)), 3))
    lens = _lens(camera, size)
    mesh = distortion(size, generator, lens, hanging=False)
    seen, visible = distort(picture, mesh), distort(layers.visible, mesh)
    masks = visible_parts(worn, placement, size, layers.front) if parts else {}
    boxes = part_boxes({name: distort(mask, mesh) for name, mask in masks.items()})
    return Photograph(_develop(seen, generator, camera, lens), tight_box(visible), boxes)


def _area(mask: Image.Image) -> int:
    """Return the number of pixels that a mask shows at least half."""
    return sum(mask.histogram()[128:])


def _sample_stance(
    garment: Garment | Carried, generator: np.random.Generator, camera: StreetCamera
) -> Stance:
    arms = tuple(round(float(angle), 1) for angle in generator.uniform(66, 80, size=2))
    lifted = ("hip", "phone", "crossed", "hip")
    gestures = ["down", "down"]
    for side in range(2):
        gesture = lifted[int(generator.integers(len(lifted)))]
        if generator.random() < camera.pose * 0.5 and can_bend_arms(garment):
            gestures[side] = gesture if gesture != "crossed" or camera.occlusion else "hip"
    return Stance(arms=(arms[0], arms[1]), gestures=(gestures[0], gestures[1]))


def _sample_place(worn: Worn, generator: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    if worn.from_above:
        return draw_ground(generator, GROUNDS[int(generator.integers(len(GROUNDS)))], size)
    return draw_scene(generator, SCENES[int(generator.integers(len(SCENES)))], size)


def _magnification(camera: StreetCamera, size: tuple[int, int]) -> float:
    """Return the zoom at which the turned and tilted picture has no empty corner."""
    radians = np.deg2rad(camera.rotation)
    longer = max(size) / min(size)
    turned = float(np.cos(radians)) + longer * float(np.sin(radians))
    pulled = 2 * camera.wobble / (FRAME_HEIGHT * min(size) / size[1])
    return round(turned / (1 - camera.tilt) + pulled, 4)


def _lens(camera: StreetCamera, size: tuple[int, int]) -> Camera:
    zoom = _magnification(camera, size)
    return Camera(
        rotation=camera.rotation,
        zoom=(zoom, zoom),
        shift=0,
        tilt=camera.tilt,
        wobble=camera.wobble * size[1] / FRAME_HEIGHT,
        lighting=camera.lighting,
        blur=(0, camera.blur * size[1] / FRAME_HEIGHT),
        noise=camera.noise,
    )


def _sample_placement(
    worn: Worn, generator: np.random.Generator, size: tuple[int, int], camera: StreetCamera
) -> Placement:
    """Return where the figure stands; the middle of the garment stays within the picture."""
    zoom = _magnification(camera, size)
    share = 0.62 * float(generator.uniform(1 - camera.distance, 1 + camera.closeness))
    placement = place_in(worn.box, size, share=round(share / zoom, 4))
    aside, down = generator.uniform(-camera.shift, camera.shift, size=2) / zoom
    lean = round(float(generator.uniform(-camera.lean, camera.lean)), 2)
    if worn.from_above:
        lean *= 2.5
    elif any(worn.repeat):
        lean = 0  # the rasteriser leaves seams in turned tiles; the camera still turns the picture
    # it turns about the middle of the garment
    middle_x, middle_y = (worn.box[0] + worn.box[2]) / 2, (worn.box[1] + worn.box[3]) / 2
    cosine, sine = float(np.cos(np.deg2rad(lean))), float(np.sin(np.deg2rad(lean)))
    scale, across = placement.scale, frame_width(size)
    x = across * (0.5 + aside) - scale * (cosine * middle_x - sine * middle_y)
    y = FRAME_HEIGHT * (0.5 + down) - scale * (sine * middle_x + cosine * middle_y)
    return replace(placement, x=x, y=y, lean=lean)


def _sample_occlusion(
    worn: Worn,
    person: Person,
    placement: Placement,
    generator: np.random.Generator,
    size: tuple[int, int],
) -> str:
    """Return what covers a part of the garment: on the person, or between them and the camera."""
    names = tuple(PALETTE)
    tone = sample_shade(generator, names[int(generator.integers(len(names)))])
    kind, mirrored = int(generator.integers(4)), bool(generator.random() < 0.5)
    height = round(float(generator.uniform(0.2, 0.34)) * FRAME_HEIGHT, 1)
    across = frame_width(size)
    if worn.from_above or kind == 0:
        drawn = _passing_shoulder(tone, height, across)
    elif kind == 1:
        return _table_edge(tone, height, across)
    elif kind == 2 or person.hairstyle != "long":
        drawn = _shoulder_bag(tone)
        if mirrored:
            drawn = f'<g transform="scale(-1 1)">{drawn}</g>'
        return placement.wrap(drawn)
    else:
        return placement.wrap(draw_long_strands(person))
    if mirrored:
        return f'<g transform="translate({across:.1f} 0) scale(-1 1)">{drawn}</g>'
    return drawn


def _passing_shoulder(tone: str, height: float, across: float) -> str:
    """Return the shoulder of somebody who passes close to the camera, at the lower left."""
    top = FRAME_HEIGHT - height
    reach = across * 0.42
    data = (
        f"M-20 {FRAME_HEIGHT + 40:.0f}V{top - 30:.1f}Q{reach * 0.5:.1f} {top - 34:.1f} "
        f"{reach * 0.85:.1f} {top + 18:.1f}Q{reach:.1f} {top + 60:.1f} {reach:.1f} "
        f"{FRAME_HEIGHT + 40:.0f}Z"
    )
    seam = f"M{reach * 0.5:.1f} {top - 10:.1f}Q{reach * 0.4:.1f} {top + 50:.1f} "
    seam += f"{reach * 0.5:.1f} {FRAME_HEIGHT:.0f}"
    return filled(data, tone) + line(seam, shade(tone, 0.7), 2)


def _table_edge(tone: str, height: float, across: float) -> str:
    """Return the edge of a table with a cup, along the lower border."""
    top = FRAME_HEIGHT - height * 0.5
    markup = rectangle(-20, top, across + 40, height, tone)
    markup += rectangle(-20, top, across + 40, 5, shade(tone, 1.25))
    x = across * 0.68
    cup = f"M{x:.1f} {top - 24:.1f}h30l-4 34h-22Z"
    return (
        markup
        + line(f"M{x + 29:.1f} {top - 16:.1f}q13 2 -2 14", "#e4e1d9", 4)
        + filled(cup, "#f0eee8")
    )


def _shoulder_bag(tone: str) -> str:
    """Return a bag on a strap across the body, in units of the body."""
    strap = line("M-26 6L38 96", shade(tone, 0.7), 5)
    bag = '<rect x="20" y="92" width="46" height="38" rx="7" '
    flap = filled("M20 98q0 -6 7 -6h32q7 0 7 6q-4 18 -23 18q-19 0 -23 -18Z", shade(tone, 0.86))
    return strap + f'{bag}fill="{tone}"/>' + flap + disc((43, 114), 3, "#c9b26e")


def _cast_shadow(
    picture: Image.Image, outline: Image.Image, generator: np.random.Generator, *, from_above: bool
) -> None:
    """Darken what lies behind the figure, to the side that the light does not come from."""
    reach = max(1, picture.height // (60 if from_above else 30))
    soft = outline.filter(ImageFilter.BoxBlur(reach))
    aside = int(generator.integers(-2 * reach, 2 * reach + 1))
    darken(picture, shifted(soft, aside, reach), 0.5 if from_above else 0.28)


def _hard_shadow(generator: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return the mask (L) of a shadow with an edge: of a wall, of blinds, or of leaves."""
    kind, across = int(generator.integers(3)), frame_width(size)
    slope = round(float(generator.uniform(-160, 160)), 1)
    if kind == 0:
        x = round(float(generator.uniform(0.2, 0.8)) * across, 1)
        far = -600 if generator.random() < 0.5 else 900
        markup = filled(f"M{x} -10L{x + slope} {FRAME_HEIGHT + 10}H{far}V-10Z", "#000000")
    elif kind == 1:
        step = round(float(generator.uniform(24, 44)), 1)
        bars = "".join(
            f"M-20 {index * step:.1f}L{across + 20:.1f} {index * step + slope / 2:.1f}"
            for index in range(-6, 20)
        )
        markup = line(bars, "#000000", step * 0.4)
    else:
        markup = "".join(
            disc((float(x) * across, float(y) * FRAME_HEIGHT), 6 + 22 * float(radius), "#000000")
            for x, y, radius in generator.uniform(0, 1, size=(34, 3)).round(3)
        )
    mask = render_layer(markup, size, detail=0.25).getchannel("A")
    return mask.filter(ImageFilter.BoxBlur(max(1, size[1] // 160)))


def _develop(
    picture: Image.Image, generator: np.random.Generator, camera: StreetCamera, lens: Camera
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8 in the light of the place, moved, blurred and noisy."""
    if generator.random() < camera.motion:
        steps, sideways = int(generator.integers(2, 5)), bool(generator.random() < 0.7)
        reach = max(1, steps * picture.height // 320)
        moved = Image.new("RGB", picture.size)
        moved.paste(picture)
        moved.paste(picture, (reach, 0) if sideways else (0, reach))
        picture = Image.blend(picture, moved, 0.5)
    channels = np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")
    light, tint = room_light(generator, (picture.height, picture.width), lens)
    channels *= light
    channels *= tint
    return develop(channels, generator, lens)
