-- Which modules of a network train and which evaluate, kept while something changes that.

--- Remembers the mode of each module of a network; closing what it gives puts them back.
return function(net)
  local modes = {}
  for _, module in net:named_modules() do modes[#modes + 1] = {module, module.training} end
  return setmetatable({}, {__close = function()
    for _, pair in ipairs(modes) do pair[1].training = pair[2] end
  end})
end
