-- Runs ONNX's test cases in folders, as onnx's backend-test-tools writes them, and its light models:
--   nnlua tests/onnx/run.lua FOLDER [--filter PATTERN] [--failures] [--again]
-- With --again each model is exported and read back before it runs.

package.path = arg[0]:match "^(.-)[^/]*$" .. "?.lua;" .. package.path

local cases = require "cases"
local lfs = require "lfs"

local folder, pattern, failures, again = nil, "", false, false
local i = 1
while arg[i] do
  if arg[i] == "--filter" then
    i, pattern = i + 1, arg[i + 1]
  elseif arg[i] == "--failures" then
    failures = true
  elseif arg[i] == "--again" then
    again = true
  else
    folder = arg[i]
  end
  i = i + 1
end

local names = {}
for name in lfs.dir(folder) do
  local is_case = lfs.attributes(folder .. "/" .. name .. "/model.onnx") or name:find "^light_.*%.onnx$"
  if is_case and name:find(pattern) then table.insert(names, name) end
end
table.sort(names)

local passed, failed = 0, 0
for _, name in ipairs(names) do
  local run = name:find "%.onnx$" and cases.run_light_file or cases.run_folder
  local well, wrong = pcall(run, folder .. "/" .. name, again)
  if well and not wrong then
    passed = passed + 1
  else
    failed = failed + 1
    if failures then print(name, (tostring(wrong):gsub("\n.*", ""))) end
  end
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
