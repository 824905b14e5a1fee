--- Runs the files of an exported folder and counts what holds.

local api = require "oracle.api"
local json = require "oracle.json"
local known = require "oracle.known"

local runner = {}

-- In the order in which they are run.
runner.FAMILIES = {"ops", "errors", "modules", "optim", "random", "distributions", "train", "printing"}

-- --------------------------------------------------------------------- files

local function manifest_of(folder)
  local file = assert(io.open(folder .. "/manifest.json"))
  local manifest = json.decode(file:read("a"))
  file:close()
  return manifest
end

local function sorted_names(files)
  local names = {}
  for name in pairs(files) do
    table.insert(names, name)
  end
  table.sort(names)
  return names
end

--- The files whose name is the one wanted or, if there are none, has it in it as a Lua pattern.
local function chosen(files, wanted)
  local exact, matching = {}, {}
  for _, file in ipairs(files) do
    if file.name == wanted then
      table.insert(exact, file)
    elseif file.name:find(wanted) then
      table.insert(matching, file)
    end
  end
  return #exact > 0 and exact or matching
end

--- The files of a folder, each with `family`, `name` and `path`.
--- `family` and `op`, both of which may be nil, choose among them.
function runner.files(folder, family, op)
  local manifest, found = manifest_of(folder), {}
  for _, own in ipairs(runner.FAMILIES) do
    local said = (not family or family == own) and manifest.families[own]
    for _, name in ipairs(said and sorted_names(said.files) or {}) do
      local path = ("%s/%s/%s.jsonl"):format(folder, own, name)
      table.insert(found, {family = own, name = name, path = path})
    end
  end
  return op and chosen(found, op) or found
end

-- --------------------------------------------------------------------- cases

--- Counts one more of something.
local function count(counts, what)
  counts[what] = (counts[what] or 0) + 1
end

--- The complaints that are no known differences; the reasons of those that are go to the summary.
local function unexplained(file, case, wrong, summary)
  local left, reasons = {}, {}
  for _, what in ipairs(wrong) do
    local reason = known.reason(file.family, file.name, case.id, what)
    if reason then
      reasons[reason] = true
    else
      table.insert(left, what)
    end
  end
  for reason in pairs(reasons) do
    count(summary.known, reason)
  end
  return left
end

--- Why a case that raised counts as skipped, or nil.
local function reason_to_skip(err)
  local missing = api.missing_name(err)
  return missing and "no " .. missing
end

local function run_case(line, file, family, summary)
  local case = json.decode(line)
  local outcome = {wrong = {}, lacking = {}, stage = ""}
  local ok, err = pcall(family.run, case, outcome)
  local skipped = not ok and reason_to_skip(err)
  if skipped then
    summary.skipped = summary.skipped + 1
    count(summary.reasons, skipped)
    return
  elseif not ok then
    local first_line = tostring(err):match("[^\n]*")
    table.insert(outcome.wrong, ("%s: raises %s"):format(outcome.stage, first_line))
  end
  for name in pairs(outcome.lacking) do
    count(summary.lacking, name)
  end
  local wrong = unexplained(file, case, outcome.wrong, summary)
  if #wrong == 0 then
    summary.passed = summary.passed + 1
  else
    summary.failed = summary.failed + 1
    table.insert(summary.failures, {id = case.id, wrong = wrong})
  end
end

--- Runs the cases of a file, one of `runner.files`. The summary has the numbers `passed`,
--- `failed` and `skipped`; `failures`, a list of what is wrong with which case; `reasons` of
--- what was skipped; `lacking`, other names of an operation that nnlua does not have; and `known`,
--- the reasons of differences that are meant to be. The last three hold how often.
function runner.run_file(file)
  local family = require("oracle." .. file.family)
  local summary = {passed = 0, failed = 0, skipped = 0, failures = {}, reasons = {}, lacking = {}, known = {}}
  local input = assert(io.open(file.path))
  local header = json.decode(input:read("l"))
  assert(header.format == "nnlua-oracle-1", file.path .. ": another format")
  local cases = 0
  for line in input:lines() do
    cases = cases + 1
    run_case(line, file, family, summary)
  end
  input:close()
  assert(cases == header.cases, file.path .. ": cases are missing")
  return summary
end

return runner
