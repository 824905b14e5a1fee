-- nl.plot's functions for matrices and pictures: heatmap, confusion, image.

local colours = require "nnlua.plot.colours"
local core = require "nnlua.nn.core"
local data = require "nnlua.plot.data"
local figure = require "nnlua.plot.figure"
local images = require "nnlua.plot.images"
local marks = require "nnlua.plot.marks"
local nl = require "nnlua"
local options = require "nnlua.plot.options"
local pixels = require "nnlua.plot.pixels"
local scale = require "nnlua.plot.scale"
local terminal_text = require "nnlua.utils.terminal_text"

local pictures = {}

local raise, change = core.raise, figure.change
local Figure = figure.Figure

--- A matrix of a tensor of at most two dimensions, or of lists of numbers.
local function matrix_of(name, what, value)
  if type(value) == "table" and getmetatable(value) == nil then
    local ok, made = pcall(nl.tensor, value, {dtype = nl.float64})
    if not ok then raise(("%s: %s must be a matrix: lists of numbers of one length"):format(name, what)) end
    value = made
  end
  if not core.is_tensor(value) then
    raise(("%s: %s must be a matrix, not %s"):format(name, what, core.describe(value)))
  elseif value.ndim > 2 or value:numel() == 0 then
    raise(("%s: %s has shape %s: (rows, columns) with elements is wanted"):format(name, what, value.shape))
  end
  while value.ndim < 2 do value = value:unsqueeze(1) end
  return pixels.elements(name, what, value)
end

local function names_of(name, what, value, n)
  if value == nil then return nil end
  local names = data.texts(name, what, value)
  if #names ~= n then raise(("%s: %s has %d names, and there are %d places"):format(name, what, #names, n)) end
  for i, one in ipairs(names) do names[i] = terminal_text.clean(one) end
  return names
end

--- Adds a matrix in colours. `settings`: map, low, high, write, x_names, y_names.
local function add_matrix(axes, x, settings)
  axes.series = axes.series + 1
  axes.x_names, axes.y_names = settings.x_names, settings.y_names
  axes.y_goes_down, axes.x_is_whole, axes.y_is_whole = true, true, true
  axes.matrix = {rows = x:size(1), columns = x:size(2), is_annotated = settings.write ~= nil}
  axes.x_scale, axes.y_scale, axes.grid = scale.linear, scale.linear, false
  table.insert(axes.marks, marks.matrix {rows = x:size(1), columns = x:size(2), map = settings.map, low = settings.low,
    high = settings.high, pixels = pixels.of_matrix(x, settings.map, settings.low, settings.high),
    write = settings.write, values = settings.write and x:tolist()})
  if settings.has_bar then
    axes.colour_bar = {map = settings.map, low = settings.low, high = settings.high}
  end
end

-- ----------------------------------------------------------------- heatmap

local parse_heatmap = options.parser("nl.plot.heatmap", {
  {"data", "any"}, {"cmap", "string", "viridis"}, {"vmin", "number?"}, {"vmax", "number?"}, {"annot", "boolean", false},
  {"xticklabels", "any?"}, {"yticklabels", "any?"}, {"cbar", "boolean", true},
})

local MOST_NUMBERS = 10000

--- Draws a matrix: see nl.plot.heatmap.
---     > fig = nl.plot.Figure({title = "weights"}):heatmap(nl.randn(4, 6))
---@return Figure
function Figure:heatmap(...)
  local o = parse_heatmap(...)
  local x = matrix_of("nl.plot.heatmap", "data", o.data)
  local low, high = pixels.limits("nl.plot.heatmap", x, o.vmin, o.vmax)
  if o.annot and x:numel() > MOST_NUMBERS then
    raise(("nl.plot.heatmap: annot writes at most %d numbers, and there are %d"):format(MOST_NUMBERS, x:numel()))
  end
  return change(self, function(axes)
    options.apply("nl.plot.heatmap", axes, o)
    add_matrix(axes, x, {
      map = colours.map("nl.plot.heatmap", o.cmap), low = low, high = high, has_bar = o.cbar,
      write = o.annot and scale.short_text or nil,
      x_names = names_of("nl.plot.heatmap", "xticklabels", o.xticklabels, x:size(2)),
      y_names = names_of("nl.plot.heatmap", "yticklabels", o.yticklabels, x:size(1)),
    })
  end)
end

--- A matrix in colours, the first row at the top. `cmap` is "viridis", "magma", "coolwarm", "gray" and so on; `vmin`
--- and `vmax` are the ends of it, `annot` writes the numbers into the fields, `xticklabels` and `yticklabels` name
--- columns and rows, `cbar` is the scale beside it. What is no number is gray.
---     > fig = nl.plot.heatmap(nl.randn(4, 6), {annot = true, cmap = "coolwarm"})
---@param data any
---@param cmap? string
---@param vmin? number
---@param vmax? number
---@param annot? boolean
---@param xticklabels? string[]
---@param yticklabels? string[]
---@param cbar? boolean
---@return Figure
function pictures.heatmap(...)
  return Figure():heatmap(...)
end

-- --------------------------------------------------------------- confusion

local parse_confusion = options.parser("nl.plot.confusion", {
  {"target", "any"}, {"prediction", "any?"}, {"labels", "any?"}, {"normalize", "any", false},
  {"cmap", "string", "Blues"}, {"annot", "boolean", true},
})

--- Classes, counted from 1, of a list or tensor; of scores (n, classes) the highest.
local function classes_of(what, value)
  if core.is_tensor(value) and value.ndim == 2 then value = value:detach():argmax(2) end
  local list = data.numbers("nl.plot.confusion", what, value)
  for i, v in ipairs(list) do
    list[i] = math.tointeger(v)
    if not list[i] or v < 1 or v > 10000 then
      raise(("nl.plot.confusion: %s[%d] is %s: classes are whole numbers from 1 on"):format(what, i,
        core.format("%.14g", v)))
    end
  end
  return list
end

--- How often each class was taken for each.
local function confusion_counts(target, prediction, least)
  local truths, guesses = classes_of("target", target), classes_of("prediction", prediction)
  if #truths ~= #guesses then
    raise(("nl.plot.confusion: there are %d targets and %d predictions: they must be as many"):format(
      #truths, #guesses))
  end
  local n = least
  for i = 1, #truths do n = math.max(n, truths[i], guesses[i]) end
  local rows = {}
  for i = 1, n do
    rows[i] = {}
    for j = 1, n do rows[i][j] = 0.0 end
  end
  for i = 1, #truths do rows[truths[i]][guesses[i]] = rows[truths[i]][guesses[i]] + 1 end
  return nl.tensor(rows, {dtype = nl.float64})
end

-- What counts are divided by: the sums along a dimension, or all of them; the names are scikit-learn's.
local norms = {["true"] = 2, pred = 1, all = "all"}

local function norm_of(normalize)
  if type(normalize) == "boolean" then return normalize and norms["true"] end
  return norms[normalize]
    or raise(("nl.plot.confusion: normalize must be true, false, \"true\", \"pred\" or \"all\", not %s"):format(
      type(normalize) == "string" and "'" .. normalize .. "'" or core.describe(normalize)))
end

--- A share with two decimals for 3 digits, one for 2, and as ".6" for 1.
local function write_share(v, digits)
  if v ~= v then return "nan" end
  if digits == 3 then return core.format("%.2f", v) end
  local text = core.format("%.1f", v)
  return digits == 1 and text:gsub("^(-?)0%.", "%1.") or text
end

--- Draws a confusion matrix: see nl.plot.confusion.
---     > fig = nl.plot.Figure({title = "test"}):confusion({1, 2, 2}, {1, 2, 1})
---@return Figure
function Figure:confusion(...)
  local o = parse_confusion(...)
  local labels = data.texts("nl.plot.confusion", "labels", o.labels)
  local x
  if o.prediction ~= nil then x = confusion_counts(o.target, o.prediction, math.max(#labels, 1))
  else x = matrix_of("nl.plot.confusion", "target", o.target) end
  if x:size(1) ~= x:size(2) then
    raise(("nl.plot.confusion: the matrix has shape %s: as many rows as columns are wanted"):format(x.shape))
  end
  local norm = norm_of(o.normalize)
  if norm then x = x / (norm == "all" and x:sum() or x:sum(norm, {keepdim = true})):clamp(1e-300) end
  local n = x:size(1)
  local names = names_of("nl.plot.confusion", "labels", o.labels, n)
  for i = 1, names and 0 or n do
    names = names or {}
    names[i] = ("%d"):format(i)
  end
  local _, high = pixels.limits("nl.plot.confusion", x, 0, nil)
  return change(self, function(axes)
    options.apply("nl.plot.confusion", axes, o)
    axes.xlabel, axes.ylabel = axes.xlabel or "predicted", axes.ylabel or "true"
    axes.wanted_size = function() return 520, 440 end
    add_matrix(axes, x, {
      map = colours.map("nl.plot.confusion", o.cmap), low = 0, high = norm and 1 or math.max(high, 1),
      write = o.annot and n <= 100 and (norm and write_share or scale.short_text) or nil,
      x_names = names, y_names = names, has_bar = true,
    })
  end)
end

--- How often each class was taken for which: `confusion(targets, predictions)` of classes counted from 1, where scores
--- (n, classes) stand for the highest one, or `confusion(matrix)` of the counts themselves, the true ones in rows.
--- `labels` names the classes; `normalize` shows shares: of what a class is (true or "true"), of what was taken for it
--- ("pred"), or of all ("all").
---     > fig = nl.plot.confusion({1, 2, 3, 3}, {1, 2, 3, 2}, {labels = {"cat", "dog", "bird"}})
---@param target any
---@param prediction? any
---@param labels? string[]
---@param normalize? boolean|string
---@param cmap? string
---@param annot? boolean
---@return Figure
function pictures.confusion(...)
  return Figure():confusion(...)
end

-- ------------------------------------------------------------------- image

local parse_image = options.parser("nl.plot.image", {
  {"x", "any"}, {"nrow", "integer?"}, {"cmap", "string", "gray"}, {"vmin", "number?"}, {"vmax", "number?"},
  {"titles", "any?"},
})

--- A picture, or several: see nl.plot.image.
---     > fig = nl.plot.Figure({title = "a digit"}):image(nl.rand(8, 8))
---@return Figure
function Figure:image(...)
  local o = parse_image(...)
  if o.nrow and o.nrow < 1 then raise "nl.plot.image: nrow must be from 1 on" end
  local map = colours.map("nl.plot.image", o.cmap)
  local list = images.of(o.x, map, o.vmin, o.vmax)
  local titles = data.texts("nl.plot.image", "titles", o.titles)
  if #titles > #list then
    raise(("nl.plot.image: there are %d titles and %d pictures"):format(#titles, #list))
  end
  for i, title in ipairs(titles) do titles[i] = terminal_text.clean(title) end
  return change(self, function(axes)
    options.apply("nl.plot.image", axes, o)
    axes.images = {list = list, titles = titles, nrow = o.nrow}
    axes.layout, axes.rows, axes.wanted_size = images.draw, images.rows, images.size
  end)
end

--- A picture: a tensor (height, width), (channels, height, width) of 1, 3 or 4 channels, or several: (pictures,
--- channels, height, width), or a list. Bytes go from 0 to 255, floats from 0 to 1; whatever else there is, from the
--- least to the greatest value of all, or from `vmin` to `vmax`. Gray ones have the colours of `cmap`. `nrow` is how
--- many stand in a row, as torchvision's make_grid counts; `titles` stand above them.
---     > fig = nl.plot.image(nl.rand(10, 1, 8, 8), {nrow = 5, titles = {"a", "b"}})
---@param x any
---@param nrow? integer
---@param cmap? string
---@param vmin? number
---@param vmax? number
---@param titles? string[]
---@return Figure
function pictures.image(...)
  return Figure():image(...)
end

return pictures
