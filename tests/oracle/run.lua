--- Runs the cases that export/export.py wrote and reports what holds.
---
---     nnlua tests/oracle/run.lua FOLDER [--failures] [--family NAME] [--op NAME-OR-PATTERN]
---
--- The exit status says whether all holds that nnlua has.

local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/../?.lua;" .. package.path

local USAGE = "usage: run.lua FOLDER [--failures] [--family NAME] [--op NAME-OR-PATTERN]\n"

local function usage_error(what)
  io.stderr:write("run.lua: ", what, "\n", USAGE)
  os.exit(2)
end

local function parsed(arguments)
  local options, i = {}, 1
  while i <= #arguments do
    local word = arguments[i]
    if word == "--failures" then
      options.failures = true
    elseif word == "--family" or word == "--op" then
      i = i + 1
      options[word:sub(3)] = arguments[i] or usage_error(word .. " needs a name")
    elseif word:sub(1, 1) == "-" or options.folder then
      usage_error("unexpected " .. word)
    else
      options.folder = word
    end
    i = i + 1
  end
  return options.folder and options or usage_error("no folder")
end

-- -------------------------------------------------------------------- report

local ROW = "%-8s %-42s %7s %7s %7s\n"

local function print_row(family, name, counts)
  io.write(ROW:format(family, name, counts.passed, counts.failed, counts.skipped))
end

local function print_failures(file, summary)
  for _, failure in ipairs(summary.failures) do
    for _, what in ipairs(failure.wrong) do
      io.write(("    %s %s %s: %s\n"):format(file.family, file.name, failure.id, what))
    end
  end
end

--- Names in a table of counts, the commonest first.
local function print_counts(title, counts)
  local names = {}
  for name in pairs(counts) do
    table.insert(names, name)
  end
  table.sort(names, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  if #names > 0 then
    io.write("\n", title, "\n")
  end
  for _, name in ipairs(names) do
    io.write(("%6d  %s\n"):format(counts[name], name))
  end
end

local function add_counts(total, more)
  for name, n in pairs(more) do
    total[name] = (total[name] or 0) + n
  end
end

local function add(total, summary)
  for _, key in ipairs({"passed", "failed", "skipped"}) do
    total[key] = total[key] + summary[key]
  end
  add_counts(total.reasons, summary.reasons)
  add_counts(total.lacking, summary.lacking)
  add_counts(total.known, summary.known)
end

local function main(options)
  local runner = require "oracle.runner"
  local total = {passed = 0, failed = 0, skipped = 0, reasons = {}, lacking = {}, known = {}}
  io.write(ROW:format("family", "name", "passed", "failed", "skipped"))
  for _, file in ipairs(runner.files(options.folder, options.family, options.op)) do
    local summary = runner.run_file(file)
    print_row(file.family, file.name, summary)
    if options.failures then
      print_failures(file, summary)
    end
    add(total, summary)
  end
  print_counts("Skipped:", total.reasons)
  print_counts("Other forms of a call that nnlua does not have:", total.lacking)
  print_counts("Known differences (known.lua):", total.known)
  io.write(("\n%d passed, %d failed, %d skipped\n"):format(
    total.passed, total.failed, total.skipped))
  return total.failed == 0
end

io.stdout:setvbuf("line")  -- a crash must not take along what came before it
os.exit(main(parsed(arg)), true)
