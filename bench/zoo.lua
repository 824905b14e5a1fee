-- nnlua's side of the comparison over real models, which bench/zoo/prepare.py fetches. The cases of zoo.py, line by
-- line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local models = dofile(here .. "/zoo/models.lua")

for _, name in ipairs(models.names()) do
  measure(name, function()
    local run = models.runner(name)
    for _ = 1, 3 do run() end -- a program makes its plan at the second call, and packs weights at the third
    return run
  end)
end
