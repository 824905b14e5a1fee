-- nn.utils.convert_conv…: the order in memory of the weights of convolutions.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local memory_format = {}

--- Lays out the weights of convolutions, here and below, which are of one of two classes.
local function convert(name, wanted, module, format, conv, transposed)
  if format ~= nl.contiguous_format and format ~= wanted then
    core.raise(("%s: memory_format is %s or %s, not %s"):format(name, wanted, nl.contiguous_format,
      type(format) == "string" and format or core.describe(format)))
  end
  for one in module:modules() do
    if one:is_a(conv) or one:is_a(transposed) then
      one.weight.data = one.weight:detach():clone({memory_format = format})
    end
  end
  return module
end

local spec = {{"module", "module"}, {"memory_format", "any"}}
local parse_2d = args.parser("convert_conv2d_weight_memory_format", spec)
local parse_3d = args.parser("convert_conv3d_weight_memory_format", spec)

--- Lays out the weights of all two-dimensional convolutions of a module in a memory format, and of no other layers.
--- Returns the module.
---     > net = nn.utils.convert_conv2d_weight_memory_format(nn.Conv2d(3, 4, 2), nl.channels_last)
---     > net.weight:stride(2)
---     1
function memory_format.convert_conv2d_weight_memory_format(...)
  local module, format = parse_2d(...)
  return convert("convert_conv2d_weight_memory_format", nl.channels_last, module, format, nl.nn.Conv2d,
    nl.nn.ConvTranspose2d)
end

--- As convert_conv2d_weight_memory_format, of three-dimensional convolutions.
---     > net = nn.utils.convert_conv3d_weight_memory_format(nn.Conv3d(3, 4, 2), nl.channels_last_3d)
---     > net.weight:stride(2)
---     1
function memory_format.convert_conv3d_weight_memory_format(...)
  local module, format = parse_3d(...)
  return convert("convert_conv3d_weight_memory_format", nl.channels_last_3d, module, format, nl.nn.Conv3d,
    nl.nn.ConvTranspose3d)
end

return memory_format
