-- Upright boxes, (n, 4) of left, top, right, bottom, as torchvision.ops has them.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local boxes = {}

local raise = core.raise

local function check(name, what, t)
  if t.ndim ~= 2 or t:size(2) ~= 4 then
    raise(("%s: %s has shape %s: (n, 4) of left, top, right, bottom is wanted"):format(name, what, t.shape))
  end
  return t.dtype.is_floating_point and t or t:double()
end

local function area_of(t)
  return (t:select(2, 3) - t:select(2, 1)) * (t:select(2, 4) - t:select(2, 2))
end

local parse_area = args.parser("nl.vision.box_area", {{"boxes", "tensor"}})

--- The areas of boxes.
--- Shapes: boxes (n, 4) of left, top, right, bottom; result (n)
---     > nl.vision.box_area(nl.tensor {{0.0, 0, 2, 3}})
---     tensor([6.])
---@param boxes Tensor
---@return Tensor
function boxes.box_area(...)
  return area_of(check("nl.vision.box_area", "boxes", (parse_area(...))))
end

local function iou_of(a, b)
  local top_left = nl.maximum(a:narrow(2, 1, 2):unsqueeze(2), b:narrow(2, 1, 2):unsqueeze(1))
  local bottom_right = nl.minimum(a:narrow(2, 3, 2):unsqueeze(2), b:narrow(2, 3, 2):unsqueeze(1))
  local sides = (bottom_right - top_left):clamp(0)
  local shared = sides:select(3, 1) * sides:select(3, 2)
  return shared / (area_of(a):unsqueeze(2) + area_of(b):unsqueeze(1) - shared)
end

local parse_iou = args.parser("nl.vision.box_iou", {{"boxes1", "tensor"}, {"boxes2", "tensor"}})

--- What each of some boxes shares with each of others, over what both cover.
--- Shapes: boxes1 (n, 4), boxes2 (m, 4) of left, top, right, bottom; result (n, m)
---     > nl.vision.box_iou(nl.tensor {{0.0, 0, 2, 2}}, nl.tensor {{1.0, 0, 3, 2}, {5.0, 5, 6, 6}})
---     tensor([[0.3333, 0.0000]])
---@param boxes1 Tensor
---@param boxes2 Tensor
---@return Tensor
function boxes.box_iou(...)
  local a, b = parse_iou(...)
  return iou_of(check("nl.vision.box_iou", "boxes1", a), check("nl.vision.box_iou", "boxes2", b))
end

local parse_nms = args.parser("nl.vision.nms", {{"boxes", "tensor"}, {"scores", "tensor"}, {"iou_threshold", "number"}})

--- The positions of boxes that stay, the highest score first, where of those that share more than iou_threshold with
--- one of a higher score none does.
--- Shapes: boxes (n, 4) of left, top, right, bottom, scores (n); result int64 (m)
---     > boxes = nl.tensor {{0.0, 0, 2, 2}, {0.0, 0, 2, 2.1}, {5.0, 5, 6, 6}}
---     > nl.vision.nms(boxes, nl.tensor {0.5, 0.9, 0.7}, 0.5)
---     tensor([2, 3])
---@param boxes Tensor
---@param scores Tensor
---@param iou_threshold number
---@return Tensor
function boxes.nms(...)
  local all, scores, threshold = parse_nms(...)
  all = check("nl.vision.nms", "boxes", all:detach())
  if scores.ndim ~= 1 or #scores ~= #all then
    raise(("nl.vision.nms: scores has shape %s for %d boxes"):format(scores.shape, #all))
  end
  local order = scores:argsort({descending = true, stable = true})
  local kept = {}
  while #order > 0 do
    kept[#kept + 1] = order[1]:item()
    if #order == 1 then break end
    local rest = order:narrow(1, 2, #order - 1)
    local shared = iou_of(all:narrow(1, kept[#kept], 1), all:index_select(1, rest))[1]
    order = rest:masked_select(shared:gt(threshold):logical_not()) -- one that isn't a number stays
  end
  return nl.tensor(kept, {dtype = nl.int64})
end

return boxes
