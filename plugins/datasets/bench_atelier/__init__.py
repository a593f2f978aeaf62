"""The drawing kit of the mini editions: garments as SVG from known attributes, photographed.

The kit knows no dataset. `wardrobe` samples garments, `garments` turns one into SVG, `render`
rasterises it and `photograph` lays it on a floor, a bed or a hanger and takes the picture.
"""
