-- Summaries of meshes, moving pictures, and pictures with boxes.

local core = require "nnlua.nn.core"
local json = require "nnlua.files.json"
local message = require "nnlua.utils.tensorboard.message"
local nl = require "nnlua"
local protobuf = require "nnlua.files.protobuf"
local summary = require "nnlua.utils.tensorboard.summary"

local media = {}

local raise = core.raise

-- ------------------------------------------------------------------- meshes

local parts = {{"vertices", "VERTEX"}, {"faces", "FACE"}, {"colors", "COLOR"}} -- a part's number is its kind

--- Raises unless the parts of a mesh fit together.
local function check_mesh(mesh)
  local vertices, faces, colors = mesh.vertices, mesh.faces, mesh.colors
  for _, part in ipairs(parts) do
    local x = mesh[part[1]]
    if x and (x.ndim ~= 3 or x:size(3) ~= 3) then
      raise(("add_mesh: %s must have a shape of (meshes, n, 3), not %s"):format(part[1], x.shape))
    elseif x and x:size(1) ~= vertices:size(1) then
      raise(("add_mesh: there are vertices of %d meshes, and %s of %d"):format(vertices:size(1), part[1], x:size(1)))
    end
  end
  if colors and colors:size(2) ~= vertices:size(2) then
    raise(("add_mesh: there are %d vertices and %d colors"):format(vertices:size(2), colors:size(2)))
  end
  if not faces or faces:numel() == 0 then return end
  local low, high = faces:min():item(), faces:max():item()
  if not (low >= 1 and high <= vertices:size(2)) then
    raise(("add_mesh: faces has %s: its places of vertices go from 1 to %d"):format(
      core.format("%g", low >= 1 and high or low), vertices:size(2)))
  elseif faces:is_floating_point() and not nl.equal(faces, faces:floor()) then
    raise "add_mesh: faces must be places of vertices, which are whole numbers"
  end
end

--- The values of a mesh: those of vertices, faces and colors that there are, tensors (meshes, n, 3).
function media.mesh(tag, mesh, config)
  check_mesh(mesh)
  local components, values = 0, {}
  for kind, part in ipairs(parts) do
    if mesh[part[1]] then components = components | 1 << kind end
  end
  local faces = mesh.faces and mesh.faces - 1 -- the file counts from 0
  for kind, part in ipairs(parts) do
    local x = mesh[part[1]]
    if x then
      local sizes = x.shape:totable()
      local content = message("mesh", {name = tag, content_type = kind, json_config = json.text(config or {}),
        shape = protobuf.packed_integers(sizes), components = components})
      local numbers = (kind == 2 and faces or x):detach():float():flatten():tolist()
      values[#values + 1] = summary.value(tag .. "_" .. part[2], {tensor = summary.floats(numbers, sizes),
        metadata = summary.plugin("mesh", content)})
    end
  end
  return values
end

-- ------------------------------------------------------------------- videos

--- Videos (N, T, C, H, W) in one, as many rows as columns or half as many; N is filled up to a power of two.
local function tiled(x)
  local n, t, c, h, w = x.shape:unpack()
  local whole, rows = 1, 1
  while whole < n do whole = whole * 2 end
  if whole > n then x = nl.cat({x, nl.zeros(whole - n, t, c, h, w, {dtype = x.dtype})}, 1) end
  while rows * rows * 4 <= whole do rows = rows * 2 end
  local columns = whole // rows
  return x:view(rows, columns, t, c, h, w):permute(3, 1, 5, 2, 6, 4):reshape(t, rows * h, columns * w, c)
end

--- Videos (N, T, C, H, W) of one or three channels, as a GIF.
function media.video(tag, x, fps)
  if x.ndim ~= 5 or x:size(3) ~= 1 and x:size(3) ~= 3 or x:numel() == 0 then
    raise("add_video: vid_tensor must have a shape of (videos, pictures, 1 or 3 channels, height, width), not "
      .. tostring(x.shape))
  end
  if not (fps > 0) then raise(("add_video: fps must be above 0, not %s"):format(core.format("%g", fps))) end
  local pictures = summary.pixels(tiled(x:detach():contiguous()))
  local height, width, channels = select(2, pictures.shape:unpack())
  if height > 65535 or width > 65535 then
    raise(("add_video: a GIF has at most 65535 rows and columns, not %d and %d"):format(height, width))
  end
  return summary.value(tag, {image = message("image", {height = height, width = width, colorspace = channels,
    encoded_image_string = require "nnlua.utils.tensorboard.gif"(pictures:expand(-1, -1, -1, 3), fps)})})
end

-- -------------------------------------------------------- pictures with boxes

local RED, BLACK, SIZE = {255, 0, 0}, {0, 0, 0}, 11

--- What is drawn for a box {left, top, right, bottom}, with a label within its lower edge.
local function draw_box(list, box, label)
  local left, top, right, bottom = table.unpack(box)
  table.insert(list, {kind = "line", width = 2, color = RED,
    points = {left, top, left, bottom, right, bottom, right, top, left, top, left, bottom}})
  if not label then return end
  local width = require "nnlua.plot.fonts".width(label, SIZE)
  table.insert(list, {kind = "rect", x = left, y = bottom - SIZE - 2, width = width + 4, height = SIZE + 2,
    color = RED})
  table.insert(list, {kind = "text", x = left + 2, y = bottom - SIZE / 2 - 1, text = label, size = SIZE,
    anchor = "start", color = BLACK})
end

--- A picture (C, H, W), with boxes (n, 4) around what is in it.
function media.boxes(planes, boxes, labels)
  local name = "add_image_with_boxes"
  if boxes.ndim ~= 2 or boxes:size(2) ~= 4 then
    raise(("%s: box_tensor must have a shape of (boxes, 4), not %s"):format(name, boxes.shape))
  end
  if labels then summary.check_list(name, "labels", labels, "string") end
  if labels and #labels ~= boxes:size(1) then
    raise(("%s: there are %d labels and %d boxes"):format(name, #labels, boxes:size(1)))
  end
  local height, width = planes:size(2), planes:size(3)
  local list = {{kind = "picture", x = 0, y = 0, width = width, height = height, pixels = planes:permute(2, 3, 1)}}
  for i, box in ipairs(boxes:detach():double():tolist()) do draw_box(list, box, labels and labels[i]) end
  local png = require "nnlua.plot.png".bytes(name, list, width, height, 1, "light")
  return nl.io.decode_image(nl.frombuffer(png, nl.uint8), "RGB")
end

return media
