-- Runs the models of a folder on the cases that lie beside them (exported.py writes such) and prints for each case how
-- far the outputs of the first call, of the second, which makes a plan, and of the fourth are from ONNX Runtime's,
-- relative to the largest of each; then the milliseconds of a call here and there, on one thread, and how they stand:
--   nnlua bench/zoo/exported.lua FOLDER [PATTERN]
local nl = require "nnlua"

local folder, pattern = arg[1], arg[2] or ""
local enough <const> = 0.2 -- seconds of rounds
local most <const>, most_of_halves <const> = 1e-4, 2e-3 -- differences; halves are rounded to 5e-4

nl.set_num_threads(1)

--- How far outputs are from what they should be.
local function difference(outputs, expected)
  local worst = 0
  assert(#outputs == #expected, ("%d outputs where there should be %d"):format(#outputs, #expected))
  for i, output in ipairs(outputs) do
    local want = expected[i]
    assert(output.shape == want.shape, ("output %d has shape %s, not %s"):format(i, output.shape, want.shape))
    assert(output.dtype == want.dtype, ("output %d has dtype %s, not %s"):format(i, output.dtype, want.dtype))
    if want:numel() > 0 then
      output, want = output:double(), want:double()
      local same = (output:eq(want) + (output:ne(output) * want:ne(want))):ne(0) -- infinities and nan too
      local apart = nl.where(same, nl.zeros_like(want), (output - want):abs())
      local largest = want:abs():nan_to_num(0, 0, 0):max():item()
      worst = math.max(worst, apart:nan_to_num(math.huge):max():item() / (largest > 0 and largest or 1))
    end
  end
  return worst
end

--- The median of a call's milliseconds.
local function milliseconds(run)
  local times, start = {}, nl.time()
  while #times < 5 or (nl.time() - start < enough and #times < 200) do
    local at = os.clock()
    run()
    times[#times + 1] = os.clock() - at
  end
  table.sort(times)
  return 1000 * times[#times // 2 + 1]
end

--- The inputs by name, the outputs, and ONNX Runtime's milliseconds.
local function read_case(path)
  local file = nl.io.safe_open(path)
  local inputs, outputs = {}, {}
  for _, key in ipairs(file:keys()) do
    local input, output = key:match "^in%.(.*)", key:match "^out%.(%d+)$"
    if input then inputs[input] = file:get_tensor(key) else outputs[tonumber(output)] = file:get_tensor(key) end
  end
  return inputs, outputs, tonumber(file:metadata().ms)
end

local function run_case(program, path)
  local inputs, expected, theirs = read_case(path)
  local function run() return nl.no_grad(program, inputs) end
  local apart = {}
  for i = 1, 4 do apart[i] = difference({run()}, expected) end
  local ours = milliseconds(run)
  local worst = math.max(apart[1], apart[2], apart[4])
  return worst, ("%.1e %.1e %.1e %9.3f %9.3f %6.2f"):format(apart[1], apart[2], apart[4], ours, theirs, theirs / ours)
end

local failed, cases = 0, 0
for name in io.popen(("ls '%s'"):format(folder)):lines() do
  local model = name:match "^(.*)%.onnx$"
  if model and model:find(pattern) then
    local ok, program = pcall(nl.onnx.load, folder .. "/" .. name)
    local i = 1
    while true do
      local path = ("%s/%s.%d.safetensors"):format(folder, model, i)
      local file = io.open(path)
      if not file then break end
      file:close()
      local fine, worst, text = ok, program, nil
      if ok then fine, worst, text = pcall(run_case, program, path) end
      cases = cases + 1
      local is_far = fine and worst > (model:find "half$" and most_of_halves or most)
      if not fine or is_far then failed = failed + 1 end
      print(("%-44s %d %s"):format(model, i, fine and text .. (is_far and " FAR" or "") or worst))
      io.stdout:flush()
      i = i + 1
    end
  end
end
print(("%d of %d cases failed"):format(failed, cases))
os.exit(failed == 0)
