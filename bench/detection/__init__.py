"""Finding garments in photographs before they are compared: detectors, their test, their boxes.

boxes.py    photographs with true boxes, what a detector finds, average precision
trained.py  a detector's folder: trained once, tested, read again
crops.py    the catalog of a run, its boxes as asked for: the data's, a detector's, or none
"""
