-- Options that all figures take, and series of a call.

local args = require "nnlua.args"
local colours = require "nnlua.plot.colours"
local core = require "nnlua.nn.core"
local data = require "nnlua.plot.data"
local nl = require "nnlua"
local scale = require "nnlua.plot.scale"
local terminal_text = require "nnlua.utils.terminal_text"

local options = {}

local raise = core.raise

local common = {
  {"title", "string?"}, {"xlabel", "string?"}, {"ylabel", "string?"}, {"xscale", "string?"}, {"yscale", "string?"},
  {"xlim", "list?"}, {"ylim", "list?"}, {"grid", "boolean", true}, {"legend", "boolean", true}, {"figsize", "list?"},
}

--- A parser of a function's own arguments and those of all figures, which gives a table of them by name. Where the
--- first argument is a table of names, it is data.
function options.parser(name, own)
  local spec = table.move(own, 1, #own, 1, {})
  table.move(common, 1, #common, #spec + 1, spec)
  local parse = args.parser(name, spec)
  local function named(...)
    local values, o = table.pack(parse(...)), {}
    for i, one in ipairs(spec) do o[one[1]] = values[i] end
    return o
  end
  return function(first, ...)
    if #own == 0 or select("#", ...) > 0 or not data.is_mapping(first) then return named(first, ...) end
    return named(first, nil)
  end
end

local function limits(name, option, list)
  local wanted = {}
  if #list ~= 2 then raise(("%s: %s must be {low, high}"):format(name, option)) end
  for i = 1, 2 do
    local v = list[i]
    if core.is_tensor(v) and v:numel() == 1 then v = v:item() end
    if v ~= nl.none and type(v) ~= "number" then
      raise(("%s: %s must be two numbers, or nl.none for one that isn't set"):format(name, option))
    end
    wanted[i] = v ~= nl.none and v or nil
  end
  if wanted[1] and wanted[2] and not (wanted[1] < wanted[2]) then
    raise(("%s: %s must be {low, high}, the lower one first"):format(name, option))
  end
  return wanted
end

local function scale_of(name, option, text)
  if text ~= "linear" and text ~= "log" then
    raise(("%s: %s must be \"linear\" or \"log\", not '%s'"):format(name, option, text))
  end
  return scale[text]
end

local function check_limits_on_scale(name, option, wanted, on)
  for i = 1, 2 do
    if wanted[i] and not on.at(wanted[i]) then
      raise(("%s: %s has %s, which is nowhere on a %s scale"):format(name, option, core.format("%s", wanted[i]),
        on.name))
    end
  end
end

local function check_size(name, size)
  for i = 1, 2 do
    if type(size[i]) ~= "number" or not (size[i] >= 0.5 and size[i] <= 100) or #size ~= 2 then
      raise(("%s: figsize must be {width, height} in inches, from 0.5 to 100"):format(name))
    end
  end
  return size
end

--- Sets what a call says of the axes; what it leaves out stays.
function options.apply(name, axes, o)
  for _, option in ipairs {"title", "xlabel", "ylabel"} do
    if o[option] then axes[option] = terminal_text.clean(o[option]) end
  end
  axes.x_scale = o.xscale and scale_of(name, "xscale", o.xscale) or axes.x_scale or scale.linear
  axes.y_scale = o.yscale and scale_of(name, "yscale", o.yscale) or axes.y_scale or scale.linear
  axes.xlim = o.xlim and limits(name, "xlim", o.xlim) or axes.xlim or {}
  axes.ylim = o.ylim and limits(name, "ylim", o.ylim) or axes.ylim or {}
  check_limits_on_scale(name, "xlim", axes.xlim, axes.x_scale)
  check_limits_on_scale(name, "ylim", axes.ylim, axes.y_scale)
  if o.grid == false or axes.grid == nil then axes.grid = o.grid ~= false end
  if o.legend == false then axes.legend = false end
  if o.figsize then axes.figsize = check_size(name, o.figsize) end
end

--- Labels and colours of a call's series: those of the options, of the data, or the next of the cycle.
function options.style(name, axes, series, o)
  local labels = data.texts(name, "label", o.label)
  local wanted = type(o.color) == "table" and o.color or {o.color}
  for i, one in ipairs(series) do
    axes.series = axes.series + 1
    one.series = axes.series
    one.color = wanted[i] and colours.named(name, wanted[i]) or colours.of_series(axes.series)
    local label = labels[i] or one.label
    one.label = label and terminal_text.clean(label)
    one.alpha = o.alpha
  end
end

return options
