-- Reads the text in a photograph with PP-OCR: one net finds where there is text, whatever way it is turned, another one
-- reads each line. Both are files of ONNX that the package rapidocr-onnxruntime carries.
-- The nets:  pip download --no-deps rapidocr-onnxruntime==1.4.4 && unzip rapidocr*.whl   (./bootstrap models does)
-- Run:       ./bootstrap run examples/read_text.lua [--weights FOLDER] [--marked PICTURE.png] [PICTURE]
-- Of the picture that lies here, a wall with two signs (these nets know no blanks between words in Latin letters):
--    99 %  CORNERBAKERY
--   100 %  Freshbreadandcoffee
--    94 %  open from7 to18
--    99 %  EXIT24
local nl = require "nnlua"
local vision, F = nl.vision, nl.F

local here = arg[0]:match "^(.*)/[^/]*$" or "."
local parser = nl.argparse.ArgumentParser {description = "Reads the text in a photograph."}
parser:add_argument("picture", {nargs = "?", default = here .. "/data/signs.jpg", help = "a PNG or JPEG file"})
parser:add_argument("--weights", {default = here .. "/../build/zoo/rapidocr_onnxruntime/models",
  help = "the folder of the two nets"})
parser:add_argument("--marked", {metavar = "PICTURE.png", help = "where to save the picture with the text marked"})
local options = parser:parse_args()

local HEIGHT <const> = 48 -- of the lines that the reader takes

-- Bytes as both nets want them: blue first, from -1 to 1.
local function prepared(image) return (image:flip(1):float() / 127.5 - 1):unsqueeze(1) end

-- ------------------------------------------------------------------- finding

-- A size that the finder takes: a multiple of 32, the shorter side at least 736.
local function size_for_finder(height, width)
  local scale = math.max(1, 736 / math.min(height, width))
  local function rounded(n) return math.max(32, math.floor(n * scale / 32 + 0.5) * 32) end
  return rounded(height), rounded(width)
end

-- Corners with the clock, the upper left one first.
local function in_order(corners)
  table.sort(corners, function(a, b) return a[1] < b[1] end)
  local function by_height(a, b) if a[2] <= b[2] then return a, b end return b, a end
  local left_up, left_down = by_height(corners[1], corners[2])
  local right_up, right_down = by_height(corners[3], corners[4])
  return {left_up, right_up, right_down, left_down}
end

--- The quadrangles that have text in them, from top to bottom. The net marks lines that are thinner than the text, so
--- that they don't touch: each is grown again.
local function find(net, image)
  local height, width = image:size(2), image:size(3)
  local rows, columns = size_for_finder(height, width)
  local probability = net(prepared(nl.io.resize(image, {rows, columns})))[1][1]
  local labels, stats = vision.connected_components(F.max_pool2d(probability:gt(0.3):float()[nl.newaxis], 2, 1)[1])
  local found = {}
  for i = 1, #stats do
    local corners = vision.box_points(vision.min_area_rect(vision.region_points(labels, stats, i)))
    local inside = vision.polygon_mask(corners, rows, columns)
    if stats[i][{{3, 4}}]:min():item() >= 3 and probability[inside]:mean():item() > 0.5 then
      local grown = vision.box_points(vision.min_area_rect(vision.unclip(corners, {ratio = 1.6})))
      local list = (grown * nl.tensor {width / columns, height / rows}):tolist()
      found[#found + 1] = in_order(list)
    end
  end
  table.sort(found, function(a, b) return a[1][2] < b[1][2] end)
  return found
end

-- ------------------------------------------------------------------- reading

-- The letters that the reader knows stand in its file; the first class is none, the last one a blank.
local function letters_of(net)
  local letters = {""}
  for letter in net.metadata.character:gmatch "[^\n]+" do letters[#letters + 1] = letter end
  letters[#letters + 1] = " "
  return letters
end

--- The text in a part of the picture, and how sure the net is of its letters. It says for each of some forty places
--- which letter is there or none; the same one at neighbouring places is one letter.
local function read(net, letters, image, corners)
  local line = vision.crop_quad(image, corners)
  local width = math.max(16, math.ceil(HEIGHT * line:size(3) / line:size(2)))
  local likely, which = net(prepared(nl.io.resize(line, {HEIGHT, width})))[1]:max(2)
  local text, sure, before = {}, {}, 1
  for i, class in ipairs(which:tolist()) do
    if class ~= before and class ~= 1 then
      text[#text + 1], sure[#sure + 1] = letters[class], likely[i]:item()
    end
    before = class
  end
  return table.concat(text), #sure > 0 and nl.tensor(sure):mean():item() or 0
end

-- ----------------------------------------------------------------------- run

-- Draws the sides of a quadrangle, two pixels wide.
local function mark(image, corners)
  for i = 1, 4 do
    local a, b = corners[i], corners[i % 4 + 1]
    local t = nl.linspace(0, 1, 2 * math.ceil(math.abs(a[1] - b[1]) + math.abs(a[2] - b[2])) + 2)
    local x = (a[1] + (b[1] - a[1]) * t):round():clamp(1, image:size(3) - 1):long()
    local y = (a[2] + (b[2] - a[2]) * t):round():clamp(1, image:size(2) - 1):long()
    for d = 0, 1 do
      for channel, value in ipairs {255, 40, 40} do image[channel][{y + d, x + d}] = value end
    end
  end
end

local _ <close> = nl.no_grad()
local finder = nl.onnx.load(options.weights .. "/ch_PP-OCRv4_det_infer.onnx")
local reader = nl.onnx.load(options.weights .. "/ch_PP-OCRv4_rec_infer.onnx")
local letters = letters_of(reader)
local image = nl.io.read_image(options.picture, "RGB")
local marked = image:clone()
for _, corners in ipairs(find(finder, image)) do
  local text, sure = read(reader, letters, image, corners)
  if sure >= 0.5 then
    print(("%3.0f %%  %s"):format(sure * 100, text))
    mark(marked, corners)
  end
end
if options.marked then nl.io.write_png(marked, options.marked) end
