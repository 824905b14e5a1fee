-- Runs the zoo's models on what prepare.py gave ONNX Runtime and PyTorch, and prints how far the outputs are from
-- theirs, relative to the largest:   nnlua bench/zoo/compare.lua
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local models = dofile(here .. "/models.lua")

local failed = 0
for _, name in ipairs(models.names()) do
  local ok, problem = pcall(function()
    local run, expected = models.runner(name)
    for _ = 1, 3 do run() end -- a program makes its plan at the second call
    local outputs, worst = {run()}, 0
    assert(#outputs == #expected, ("%d outputs where there should be %d"):format(#outputs, #expected))
    for i, output in ipairs(outputs) do
      assert(output.shape == expected[i].shape, ("output %d has shape %s"):format(i, output.shape))
      local difference = (output - expected[i]):abs():max():item()
      worst = math.max(worst, difference / expected[i]:abs():max():item())
    end
    print(("%-40s %.1e"):format(name, worst))
    assert(worst <= 1e-4, "further from the reference than 1e-4")
  end)
  if not ok then
    failed = failed + 1
    print(("%-40s %s"):format(name, problem))
  end
end
os.exit(failed == 0)
