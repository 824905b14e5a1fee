"""Makes vision.lua: what OpenCV 5, pyclipper 1.4 and torchvision 0.29 make of masks, points, polygons and boxes."""
import numpy as np
import torch
import cv2
import pyclipper
import torchvision.ops as ops

rng = np.random.default_rng(6)
out = open('vision.lua', 'w')


def listed(a):
    a = np.asarray(a)
    if a.ndim == 0:
        return repr(float(a)) if a.dtype.kind == 'f' else str(int(a))
    return '{' + ', '.join(listed(x) for x in a) + '}'


out.write('-- Made by vision.py; pixels count from 0 here, as OpenCV has them.\nlocal made = {}\n')
for i, (h, w, p) in enumerate([(7, 9, 0.4), (6, 12, 0.55), (10, 8, 0.7), (1, 9, 0.5), (9, 1, 0.5), (4, 4, 0.0)]):
    m = (rng.random((h, w)) < p).astype(np.uint8)
    out.write(f'made[#made + 1] = {{mask = {listed(m)},\n')
    for c in (4, 8):
        n, labels, stats, _ = cv2.connectedComponentsWithStats(m, connectivity=c)
        out.write(f'  [{c}] = {{{listed(labels)},\n    {listed(stats[1:])}}},\n')
    out.write('}\n')
out.write('local rects = {}\n')
for n in (1, 2, 3, 4, 5, 8, 20, 50):
    for scale in (4, 60):
        x = np.round(rng.normal(0, scale, (n, 2)) @ [[1, 0.7], [0, 0.3]] + 100).astype(np.float32)
        r = cv2.minAreaRect(x)
        hull = cv2.convexHull(x).reshape(-1, 2)
        out.write(f'rects[#rects + 1] = {{points = {listed(x)},\n  hull = {listed(hull)},\n'
                  f'  area = {r[1][0] * r[1][1]}, box = {listed(cv2.boxPoints(r))}}}\n')
out.write('local grown = {}\n')
for points in ([[0, 0], [400, 0], [400, 80], [0, 80]], [[100, 50], [500, 150], [480, 230], [80, 130]],
               [[0, 0], [300, 100], [150, 400]]):
    area, length = cv2.contourArea(np.array(points, np.float32)), cv2.arcLength(np.array(points, np.float32), True)
    distance = area * 1.6 / length
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(points, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    p = np.array(offset.Execute(distance)[0], np.float32)
    out.write(f'grown[#grown + 1] = {{points = {listed(points)}, distance = {distance}, area = {area}, length = {length},\n'
              f'  to = {cv2.contourArea(p)}, box = {listed(cv2.boxPoints(cv2.minAreaRect(p)))}}}\n')
image = (127 + 100 * np.sin(np.arange(20)[None] / 3 + np.arange(16)[:, None] / 4)).astype(np.float32)
corners = np.array([[3, 2], [14, 4], [13, 12], [2, 9]], np.float32)
to = np.array([[0, 0], [11, 0], [11, 8], [0, 8]], np.float32)
M = cv2.getPerspectiveTransform(corners, to)
r = cv2.warpPerspective(image, M, (11, 8), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_LINEAR)
out.write(f'local quad = {{image = {listed(image)},\n  corners = {listed(corners)}, to = {listed(r)}}}\n')
b = rng.random((30, 4)).astype(np.float32) * 10
b[:, 2:] += b[:, :2]
s = rng.random(30).astype(np.float32)
b, s = torch.from_numpy(b), torch.from_numpy(s)
out.write(f'local boxes = {{boxes = {listed(b)},\n  scores = {listed(s)},\n  iou = {listed(ops.box_iou(b[:5], b[5:9]))},\n'
          f'  area = {listed(ops.box_area(b[:5]))}, kept = {listed(ops.nms(b, s, 0.3))}}}\n')
out.write('return {regions = made, rects = rects, grown = grown, quad = quad, boxes = boxes}\n')
