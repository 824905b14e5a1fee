-- nl.plot's functions for series of numbers: line, scatter, hist, bar, box, curves.

local colours = require "nnlua.plot.colours"
local core = require "nnlua.nn.core"
local data = require "nnlua.plot.data"
local figure = require "nnlua.plot.figure"
local marks = require "nnlua.plot.marks"
local nl = require "nnlua"
local options = require "nnlua.plot.options"
local scale = require "nnlua.plot.scale"
local terminal_text = require "nnlua.utils.terminal_text"

local charts = {}

local raise, change = core.raise, figure.change
local Figure = figure.Figure
local max, min, floor = math.max, math.min, math.floor

--- The numbers 1 to n.
local function count(n)
  local list = {}
  for i = 1, n do list[i] = i + 0.0 end
  return list
end

--- x and series of two arguments, of which one alone is y.
local function x_and_series(name, x, y)
  if y == nil then return nil, data.series(name, "y", x) end
  return data.numbers(name, "x", x), data.series(name, "y", y)
end

local function check_lengths(name, x, values)
  if #x ~= #values then
    raise(("%s: x has %d values and y has %d: they must be as many"):format(name, #x, #values))
  end
end

--- Only what is within the limits of x, and one point on both sides.
local function in_sight(x, y, limits)
  if not limits[1] and not limits[2] then return x, y end
  local low, high = limits[1] or -math.huge, limits[2] or math.huge
  local u, v = {}, {}
  for i = 1, #y do
    local is_near = false
    for k = max(1, i - 1), min(#y, i + 1) do is_near = is_near or x[k] >= low and x[k] <= high end
    if is_near then u[#u + 1], v[#v + 1] = x[i], y[i] end
  end
  return u, v
end

local function are_whole(x)
  for _, v in ipairs(x) do
    if v ~= floor(v) then return false end
  end
  return true
end

local dashes = {["-"] = false, ["--"] = {6, 4}, [":"] = {1.5, 3}, ["-."] = {6, 3, 1.5, 3}}

-- -------------------------------------------------------------------- line

local line_spec = {
  {"x", "any"}, {"y", "any?"}, {"label", "any?"}, {"color", "any?"}, {"linestyle", "string", "-"},
  {"linewidth", "number", 1.5}, {"marker", "any?"}, {"alpha", "number", 1},
}
local parse_line = options.parser("nl.plot.line", line_spec)

local function add_lines(name, axes, x, series, o)
  options.style(name, axes, series, o)
  if x or axes.x_is_whole == nil then axes.x_is_whole = axes.x_is_whole ~= false and are_whole(x or {}) end
  for _, one in ipairs(series) do
    local xs = x or count(#one.values)
    check_lengths(name, xs, one.values)
    local u, v = in_sight(xs, one.values, axes.xlim)
    u, v = data.thinned(u, v, axes.x_scale.at)
    table.insert(axes.marks, marks.line {x = u, y = v, color = one.color, label = one.label, series = one.series,
      width = o.linewidth, dash = dashes[o.linestyle] or nil, alpha = one.alpha, marker = o.marker,
      is_faint = o.is_faint})
  end
end

--- Adds lines: see nl.plot.line.
---     > fig = nl.plot.line({1, 4, 9}):line({9, 4, 1})
---@return Figure
function Figure:line(...)
  local o = parse_line(...)
  if dashes[o.linestyle] == nil then
    raise(("nl.plot.line: linestyle must be \"-\", \"--\", \":\" or \"-.\", not '%s'"):format(o.linestyle))
  end
  local x, series = x_and_series("nl.plot.line", o.x, o.y)
  return change(self, function(axes)
    options.apply("nl.plot.line", axes, o)
    add_lines("nl.plot.line", axes, x, series, o)
  end)
end

--- Lines: `line(y)`, or `line(x, y)`. A tensor or a list is one, a matrix (n, k) has k in its columns, a list of lists
--- one each, and a table of names (`line {train = a, valid = b}`) as well, with their labels. `linestyle` is "-", "--",
--- ":" or "-."; `marker = "o"` puts dots on the points. A value that is no number leaves a gap. Long lines are drawn
--- by their lowest and highest points.
---     > fig = nl.plot.line(nl.linspace(0, 6, 50):sin(), {title = "a sine", xlabel = "x"})
---     > fig:save(os.tmpname() .. ".svg")
---@param x any
---@param y? any
---@param label? string|string[]
---@param color? string|string[]
---@param linestyle? string
---@param linewidth? number
---@param marker? string
---@param alpha? number
---@param title? string
---@param xlabel? string
---@param ylabel? string
---@param xscale? string
---@param yscale? string
---@param xlim? number[]
---@param ylim? number[]
---@param grid? boolean
---@param legend? boolean
---@param figsize? number[]
---@return Figure
function charts.line(...)
  return Figure():line(...)
end

-- ----------------------------------------------------------------- scatter

local parse_scatter = options.parser("nl.plot.scatter", {
  {"x", "any"}, {"y", "any?"}, {"s", "number?"}, {"c", "any?"}, {"cmap", "string", "viridis"}, {"label", "any?"},
  {"color", "any?"}, {"alpha", "number", 0.8}, {"texts", "any?"},
})

local MOST_DOTS = 20000
local GRID_X, GRID_Y = 320, 200

--- Points that can't be told apart on paper are drawn once.
local function without_doubles(x, y)
  if #y <= MOST_DOTS then return x, y end
  local low_x, high_x, low_y, high_y = math.huge, -math.huge, math.huge, -math.huge
  for i = 1, #y do
    local u, v = scale.linear.at(x[i]), scale.linear.at(y[i])
    if u and v then low_x, high_x, low_y, high_y = min(low_x, u), max(high_x, u), min(low_y, v), max(high_y, v) end
  end
  local by_x, by_y = GRID_X / max(high_x - low_x, 1e-300), GRID_Y / max(high_y - low_y, 1e-300)
  local seen, us, vs = {}, {}, {}
  for i = 1, #y do
    local place = scale.linear.at(x[i]) and scale.linear.at(y[i])
      and floor((x[i] - low_x) * by_x) * (GRID_Y + 1) + floor((y[i] - low_y) * by_y)
    if place and not seen[place] then
      seen[place] = true
      us[#us + 1], vs[#vs + 1] = x[i], y[i]
    end
  end
  return us, vs
end

--- The classes that points belong to: a list of texts in order, and the number of each point's; nil where `c` has
--- numbers of a map.
local function classes_of(c)
  local is_text = type(c) == "table" and type(c[1]) == "string"
  local is_whole = core.is_tensor(c) and not c.dtype.is_floating_point
    or type(c) == "table" and math.type(c[1]) == "integer"
  if not is_text and not is_whole then return nil end
  for i = 1, is_text and #c or 0 do
    if type(c[i]) ~= "string" then
      raise(("nl.plot.scatter: c must be all texts or all numbers: c[%d] is %s"):format(i, core.describe(c[i])))
    end
  end
  local values = is_text and c or data.numbers("nl.plot.scatter", "c", c)
  local names, numbers = {}, {}
  for _, v in ipairs(values) do
    if not numbers[v] then
      numbers[v] = true
      names[#names + 1] = v
    end
  end
  table.sort(names, is_text and data.before or nil)
  for i, v in ipairs(names) do numbers[v] = i end
  return data.texts("nl.plot.scatter", "c", names), values, numbers
end

local function radius_of(n, s)
  return s and math.sqrt(max(s, 0.1)) / 2 or n > 2000 and 1.2 or n > 300 and 2 or 3
end

local function add_dots(axes, one, x, y, s)
  local u, v = x, y
  if not one.texts then u, v = without_doubles(x, y) end
  table.insert(axes.marks, marks.dots {x = u, y = v, radius = radius_of(#u, s), color = one.color, label = one.label,
    series = one.series, alpha = one.alpha, texts = one.texts})
end

--- Adds a point, and its text if points have those, to others.
local function add_point(one, x, y, text)
  one.x[#one.x + 1], one.y[#one.y + 1] = x, y
  if one.texts then table.insert(one.texts, text) end
end

local function add_classes(axes, x, y, o, names, values, numbers)
  local series = {}
  for i, name in ipairs(names) do series[i] = {label = name, x = {}, y = {}, texts = o.texts and {}} end
  for i = 1, #y do add_point(series[numbers[values[i]]], x[i], y[i], o.texts and o.texts[i]) end
  options.style("nl.plot.scatter", axes, series, o)
  for _, one in ipairs(series) do add_dots(axes, one, one.x, one.y, o.s) end
end

local MAP_STEPS = 32

--- Points in the colours of a map: as many marks as there are steps of it.
local function add_mapped(axes, x, y, o)
  local c, map = data.numbers("nl.plot.scatter", "c", o.c), colours.map("nl.plot.scatter", o.cmap)
  local low, high = math.huge, -math.huge
  for _, v in ipairs(c) do
    if scale.linear.at(v) then low, high = min(low, v), max(high, v) end
  end
  if low > high then low, high = 0, 1 end
  local steps = {}
  for i = 1, #y do
    local share = high > low and (c[i] - low) / (high - low) or 0.5
    if share == share then
      local k = floor(max(0, min(1, share)) * (MAP_STEPS - 1) + 0.5)
      steps[k] = steps[k] or {x = {}, y = {}, color = map[floor(k * 255 / (MAP_STEPS - 1))], alpha = o.alpha,
        texts = o.texts and {}}
      add_point(steps[k], x[i], y[i], o.texts and o.texts[i])
    end
  end
  axes.series = axes.series + 1
  for k = 0, MAP_STEPS - 1 do
    if steps[k] then add_dots(axes, steps[k], steps[k].x, steps[k].y, o.s or radius_of(#y) ^ 2 * 4) end
  end
  axes.colour_bar = {map = map, low = low, high = high}
end

--- A matrix of points (n, 2), which may come as the one argument.
local function points_of(o)
  local x, y = o.x, o.y
  if y == nil and core.is_tensor(x) and x.ndim == 2 and x:size(2) == 2 then x, y = x:t()[1], x:t()[2] end
  if y == nil then raise "nl.plot.scatter: y is missing: x and y, or one tensor of points (n, 2), are wanted" end
  return data.numbers("nl.plot.scatter", "x", x), data.series("nl.plot.scatter", "y", y)
end

--- What stands beside the points, a text for each; nil without any.
local function texts_of_points(wanted, points, series)
  if wanted == nil then return nil end
  local texts = data.texts("nl.plot.scatter", "texts", wanted)
  if #texts ~= points or series > 1 then
    raise(("nl.plot.scatter: texts must have one for each of the %d points"):format(points))
  end
  for i, text in ipairs(texts) do texts[i] = terminal_text.clean(text) end
  return texts
end

--- Adds points: see nl.plot.scatter.
---     > fig = nl.plot.line({1, 2, 3}):scatter({1, 2, 3}, {1.2, 1.9, 3.1})
---@return Figure
function Figure:scatter(...)
  local o = parse_scatter(...)
  local x, series = points_of(o)
  for _, one in ipairs(series) do check_lengths("nl.plot.scatter", x, one.values) end
  if o.c ~= nil then
    local n = core.is_tensor(o.c) and o.c:numel() or type(o.c) == "table" and #o.c
    if n ~= #x or #series > 1 then
      raise(("nl.plot.scatter: c must have a value for each of the %d points"):format(#x))
    end
  end
  o.texts = texts_of_points(o.texts, #x, #series)
  return change(self, function(axes)
    options.apply("nl.plot.scatter", axes, o)
    axes.x_is_whole = false
    local names, values, numbers
    if o.c ~= nil then
      names, values, numbers = classes_of(o.c)
      if names then return add_classes(axes, x, series[1].values, o, names, values, numbers) end
      return add_mapped(axes, x, series[1].values, o)
    end
    options.style("nl.plot.scatter", axes, series, o)
    series[1].texts = o.texts
    for _, one in ipairs(series) do add_dots(axes, one, x, one.values, o.s) end
  end)
end

--- Points: `scatter(x, y)`, or `scatter(points)` of a tensor (n, 2). `c` gives each a class (whole numbers or texts: a
--- colour and an entry of the legend each, `label` names them in order) or a number, which `cmap` turns to a colour.
--- `s` is their size in square pixels. Points that would lie on each other are drawn once. `texts` has one for each
--- point, which stands beside it where there is room.
---     > points, class = nl.randn(100, 2), nl.randint(1, 4, {100})
---     > fig = nl.plot.scatter(points, {c = class, label = {"cats", "dogs", "birds"}})
---     > fig = nl.plot.scatter({1, 2, 3}, {4, 1, 2}, {texts = {"one", "two", "three"}})
---@param x any
---@param y? any
---@param s? number
---@param c? any
---@param cmap? string
---@param label? string|string[]
---@param color? string|string[]
---@param alpha? number
---@param texts? string[]
---@return Figure
function charts.scatter(...)
  return Figure():scatter(...)
end

-- -------------------------------------------------------------------- hist

local parse_hist = options.parser("nl.plot.hist", {
  {"x", "any"}, {"bins", "any?"}, {"range", "list?"}, {"density", "boolean", false}, {"label", "any?"},
  {"color", "any?"}, {"alpha", "number?"},
})

--- Least and greatest of what is a number in all series, and the greatest count of one.
local function extremes_of(series)
  local low, high, n = math.huge, -math.huge, 0
  for _, one in ipairs(series) do
    local own = 0
    for _, v in ipairs(one.values) do
      if scale.linear.at(v) then low, high, own = min(low, v), max(high, v), own + 1 end
    end
    n = max(n, own)
  end
  return low, high, n
end

local function range_of(o, low, high)
  if o.range then
    local from, to = o.range[1], o.range[2]
    local are_places = type(from) == "number" and type(to) == "number" and scale.linear.at(from) and scale.linear.at(to)
    if not (are_places and from < to) then
      raise "nl.plot.hist: range must be {low, high}, two finite numbers, the lower one first"
    end
    return from, to
  end
  if low > high then return 0, 1 end
  if low == high then return low - 0.5, high + 0.5 end
  return low, high
end

--- The edges of bins: those given, or so many of one width.
local function edges_of(o, series)
  if type(o.bins) == "table" or core.is_tensor(o.bins) then
    local edges = data.numbers("nl.plot.hist", "bins", o.bins)
    local are_edges = #edges >= 2
    for i, edge in ipairs(edges) do
      are_edges = are_edges and scale.linear.at(edge) and (i == 1 or edge > edges[i - 1])
    end
    if not are_edges then
      raise "nl.plot.hist: bins must be a number of them, or a list of edges, each greater than the one before"
    end
    return edges
  end
  local low, high, n = extremes_of(series)
  local from, to = range_of(o, low, high)
  local bins = o.bins or max(1, min(60, math.ceil(2 * n ^ (1 / 3)))) -- Rice's rule
  if math.tointeger(bins) == nil or bins < 1 or bins > 10000 then
    raise "nl.plot.hist: bins must be a number from 1 to 10000, or a list of edges"
  end
  local edges = {}
  for i = 0, bins do edges[i + 1] = from + (to - from) * i / bins end
  return edges, true
end

--- How many values lie in each bin, and in all of them; the last one has its upper edge too, as NumPy's.
local function counts_of(values, edges, are_even)
  local counts, n, sum = {}, #edges - 1, 0
  for i = 1, n do counts[i] = 0 end
  local low, high = edges[1], edges[n + 1]
  local factor = n / (high - low)
  for _, v in ipairs(values) do
    if v >= low and v <= high then
      local i = are_even and min(n, floor((v - low) * factor) + 1) or 1
      if are_even then
        if v < edges[i] then i = i - 1 elseif i < n and v >= edges[i + 1] then i = i + 1 end
      else
        local above = n + 1
        while above - i > 1 do
          local middle = (i + above) // 2
          if v >= edges[middle] then i = middle else above = middle end
        end
      end
      counts[i], sum = counts[i] + 1, sum + 1
    end
  end
  return counts, sum
end

local function to_density(counts, sum, edges)
  for i, n in ipairs(counts) do counts[i] = sum > 0 and n / sum / (edges[i + 1] - edges[i]) or 0 end
end

--- Adds a histogram: see nl.plot.hist.
---     > fig = nl.plot.hist({1, 2, 2, 3}):hist({2, 3, 3, 4})
---@return Figure
function Figure:hist(...)
  local o = parse_hist(...)
  local x = core.is_tensor(o.x) and o.x.ndim > 1 and o.x:flatten() or o.x
  local series = data.series("nl.plot.hist", "x", x)
  local edges, are_even = edges_of(o, series)
  return change(self, function(axes)
    options.apply("nl.plot.hist", axes, o)
    options.style("nl.plot.hist", axes, series, o)
    for _, one in ipairs(series) do
      local counts, sum = counts_of(one.values, edges, are_even)
      if o.density then to_density(counts, sum, edges) end
      table.insert(axes.marks, marks.bars {from = edges, to = table.move(edges, 2, #edges, 1, {}), heights = counts,
        is_empty = sum == 0, color = one.color, label = one.label, series = one.series,
        alpha = o.alpha or #series > 1 and 0.6 or 1})
    end
  end)
end

--- A histogram of all elements of a tensor, or one for each list of a list or table of names. `bins` is how many there
--- are or a list of edges, `range` what they cover; `density` makes the areas 1. What is no number isn't counted.
---     > fig = nl.plot.hist(nl.randn(1000), {bins = 30, title = "weights"})
---@param x any
---@param bins? integer|number[]
---@param range? number[]
---@param density? boolean
---@param label? string|string[]
---@param color? string|string[]
---@param alpha? number
---@return Figure
function charts.hist(...)
  return Figure():hist(...)
end

-- --------------------------------------------------------------------- bar

local parse_bar = options.parser("nl.plot.bar", {
  {"x", "any"}, {"height", "any?"}, {"width", "number", 0.8}, {"label", "any?"}, {"color", "any?"},
  {"alpha", "number", 1}, {"horizontal", "boolean", false},
})

--- Names of the places and series of heights, from `bar(heights)`, `bar(names, heights)` or `bar {a = 1, b = 2}`.
local function bars_of(o)
  if o.height ~= nil then
    return data.texts("nl.plot.bar", "x", o.x), data.series("nl.plot.bar", "height", o.height)
  end
  local is_named = data.is_mapping(o.x)
  local first = is_named and select(2, next(o.x))
  if is_named and (type(first) == "number" or core.is_tensor(first) and first:numel() == 1) then
    local names, heights = {}, {}
    for name in next, o.x do names[#names + 1] = name end
    table.sort(names, data.before)
    for i, name in ipairs(names) do heights[i] = o.x[name] end
    return names, data.series("nl.plot.bar", "x", heights)
  end
  local series = data.series("nl.plot.bar", "x", o.x)
  local names = {}
  for _, one in ipairs(series) do
    for i = #names + 1, #one.values do names[i] = ("%d"):format(i) end
  end
  return names, series
end

local function clean_all(names)
  for i, name in ipairs(names) do names[i] = terminal_text.clean(name) end
  return names
end

--- Adds bars: see nl.plot.bar.
---     > fig = nl.plot.bar({"a", "b"}, {1, 2}):line({1, 2}, {1.5, 1.5})
---@return Figure
function Figure:bar(...)
  local o = parse_bar(...)
  local names, series = bars_of(o)
  clean_all(names)
  for _, one in ipairs(series) do
    if #one.values ~= #names then
      raise(("nl.plot.bar: there are %d names and %d heights: they must be as many"):format(#names, #one.values))
    end
  end
  if not (o.width > 0 and o.width <= 1) then raise "nl.plot.bar: width must be from 0 to 1" end
  return change(self, function(axes)
    options.apply("nl.plot.bar", axes, o)
    options.style("nl.plot.bar", axes, series, o)
    if o.horizontal then axes.y_names, axes.y_goes_down = names, true else axes.x_names = names end
    for k, one in ipairs(series) do
      local from, to = {}, {}
      for i = 1, #names do
        from[i] = i - o.width / 2 + o.width * (k - 1) / #series
        to[i] = from[i] + o.width / #series
      end
      table.insert(axes.marks, marks.bars {from = from, to = to, heights = one.values, is_lying = o.horizontal,
        color = one.color, label = one.label, series = one.series, alpha = o.alpha})
    end
  end)
end

--- Bars: `bar(names, heights)`, `bar(heights)`, `bar {cats = 3, dogs = 5}`. A matrix (n, k), a list of lists or a table
--- of names with lists gives several beside each other. `horizontal` lays them down, for long names.
---     > fig = nl.plot.bar({"cats", "dogs"}, {{3, 5}, {4, 2}}, {label = {"2024", "2025"}})
---@param x any
---@param height? any
---@param width? number
---@param label? string|string[]
---@param color? string|string[]
---@param alpha? number
---@param horizontal? boolean
---@return Figure
function charts.bar(...)
  return Figure():bar(...)
end

-- --------------------------------------------------------------------- box

local parse_box = options.parser("nl.plot.box", {{"x", "any"}, {"labels", "any?"}, {"color", "any?"}})

--- Adds boxes: see nl.plot.box.
---     > fig = nl.plot.Figure({title = "by class"}):box({{1, 2, 3}, {2, 3, 9}})
---@return Figure
function Figure:box(...)
  local o = parse_box(...)
  local series = data.series("nl.plot.box", "x", o.x)
  local labels, names = data.texts("nl.plot.box", "labels", o.labels), {}
  for i, one in ipairs(series) do names[i] = labels[i] or one.label or ("%d"):format(i) end
  return change(self, function(axes)
    options.apply("nl.plot.box", axes, o)
    options.style("nl.plot.box", axes, series, {color = o.color})
    axes.x_names = clean_all(names)
    for i, one in ipairs(series) do
      local box = marks.quartiles(one.values)
      box.at, box.color, box.series = i, one.color, one.series
      table.insert(axes.marks, marks.box(box))
    end
  end)
end

--- Box plots: of each column of a matrix, each list of a list, each name of a table, the quartiles as a box with the
--- median, whiskers to the outermost values within 1.5 times the box's height, and dots for what is beyond.
---     > fig = nl.plot.box({small = nl.randn(50), large = nl.randn(50) * 3})
---@param x any
---@param labels? string[]
---@param color? string|string[]
---@return Figure
function charts.box(...)
  return Figure():box(...)
end

-- ------------------------------------------------------------------ curves

local parse_curves = options.parser("nl.plot.curves", {
  {"history", "any"}, {"x", "any?"}, {"smooth", "number", 0}, {"label", "any?"}, {"color", "any?"},
})

--- The mean of what came before, newer values weighing more, as TensorBoard's: the first ones count in full.
local function smoothed(values, weight)
  local list, sum, share = {}, 0.0, 0.0
  for i, v in ipairs(values) do
    if scale.linear.at(v) then
      sum = weight * sum + (1 - weight) * v
      share = weight * share + (1 - weight)
      list[i] = sum / share
    else
      list[i] = v
    end
  end
  return list
end

--- A table of lists of a list of tables, one for each epoch: { {loss = 1, acc = 0.5}, … }.
local function by_name(history)
  if type(history) ~= "table" or not data.is_mapping(history[1]) then return history end
  local columns = {}
  for i, row in ipairs(history) do
    for name, value in next, row do
      if type(name) == "string" then
        columns[name] = columns[name] or {}
        columns[name][i] = value
      end
    end
  end
  for _, list in next, columns do
    for i = 1, #history do
      if list[i] == nil then list[i] = nl.none end
    end
  end
  return columns
end

--- Adds learning curves: see nl.plot.curves.
---     > fig = nl.plot.Figure({title = "a run"}):curves({loss = {3, 2, 1}}, {smooth = 0.5})
---@return Figure
function Figure:curves(...)
  local o = parse_curves(...)
  if not (o.smooth >= 0 and o.smooth < 1) then raise "nl.plot.curves: smooth must be from 0 on and below 1" end
  local series = data.series("nl.plot.curves", "history", by_name(o.history))
  local x = o.x ~= nil and data.numbers("nl.plot.curves", "x", o.x) or nil
  o.linestyle, o.linewidth = "-", 1.8
  return change(self, function(axes)
    options.apply("nl.plot.curves", axes, o)
    local raw, smooth = {}, {}
    for i, one in ipairs(series) do
      raw[i] = {values = one.values}
      smooth[i] = {values = smoothed(one.values, o.smooth), label = one.label}
    end
    if o.smooth > 0 then
      local numbered = axes.series
      add_lines("nl.plot.curves", axes, x, raw, {color = o.color, alpha = 0.3, linestyle = "-", linewidth = 1,
        is_faint = true})
      axes.series = numbered
    end
    add_lines("nl.plot.curves", axes, x, smooth, o)
  end)
end

--- Learning curves: a table of names (`curves {train = losses, valid = others}`), a list of numbers, or a list with a
--- table of figures for each epoch. `smooth`, from 0 to 1, draws running means over the values, as TensorBoard does;
--- `x` is where they stand, 1, 2, … if it isn't given.
---     > fig = nl.plot.curves({train = {2.3, 1.1, 0.7}, valid = {2.2, 1.3, 1.0}}, {yscale = "log"})
---     > fig = nl.plot.curves({{loss = 2.3, acc = 0.1}, {loss = 1.1, acc = 0.6}}, {smooth = 0.6})
---@param history any
---@param x? any
---@param smooth? number
---@param label? string|string[]
---@param color? string|string[]
---@return Figure
function charts.curves(...)
  return Figure():curves(...)
end

return charts
