-- nl.vision: what is found in pictures: regions, boxes, polygons. Pixels count from 1: the middle of the first one is
-- (1, 1). Read when a name is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

return on_demand.fields({}, guard.classes, {
  ["nnlua.vision.regions"] = "connected_components region_points",
  ["nnlua.vision.polygons"] = "convex_hull min_area_rect box_points polygon_area unclip polygon_mask crop_quad",
  ["nnlua.vision.boxes"] = "box_area box_iou nms",
})
