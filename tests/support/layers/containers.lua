-- Samples of the layers of lua/nnlua/nn/containers.lua, parameter_containers.lua and module.lua; see
-- tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real
local nn = nl.nn

local linear, relu = "Linear(in_features=3, out_features=3, bias=True)", "ReLU()"

return {
  Module = function()
    return {{call = function(_, x) return x end, text = "Module()"}}
  end,
  Sequential = function()
    return {{nn.Linear(3, 3), nn.ReLU(), text = ("Sequential(\n  (0): %s\n  (1): %s\n)"):format(linear, relu)}}
  end,
  ModuleList = function()
    return {{{nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()},
      call = function(list, x)
        for _, layer in ipairs(list) do x = layer(x) end
        return x
      end,
      text = ("ModuleList(\n  (0-1): 2 x %s\n  (2): %s\n)"):format(linear, relu)}}
  end,
  ModuleDict = function()
    return {{{{"first", nn.Linear(3, 3)}, {"second", nn.ReLU()}},
      call = function(dict, x) return dict.second(dict.first(x)) end,
      text = ("ModuleDict(\n  (first): %s\n  (second): %s\n)"):format(linear, relu)}}
  end,
  ParameterList = function()
    return {{{nn.Parameter(real(3)), nn.Parameter(real(2, 3))},
      call = function(list, x) return x * list[1] + list[2] end,
      text = "ParameterList(\n    (0): Parameter containing: [nnlua.float64 of size 3]\n" ..
        "    (1): Parameter containing: [nnlua.float64 of size 2x3]\n)"}}
  end,
  ParameterDict = function()
    return {{{{"scale", nn.Parameter(real(3))}},
      call = function(dict, x) return x * dict.scale end,
      text = "ParameterDict(  (scale): Parameter containing: [nnlua.float64 of size 3])"}}
  end,
}
