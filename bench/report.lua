-- Writes the figures of docs/performance.md from what run.lua measured:
--   nnlua bench/report.lua ONE.json [TWO.json ...]
-- The files are of the same cases, with other numbers of threads or instruction sets: each gives the tables a column.
-- What stands between the page's two marks is replaced, the rest stays.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local side = dofile(here .. "/side.lua")
local json = require "cjson" -- Debian's lua-cjson, which ./bootstrap test installs

local PAGE <const> = here .. "/../docs/performance.md"
local FIRST <const>, LAST <const> = "<!-- figures: bench/report.lua -->\n", "<!-- end of the figures -->"

local runs = {}
for i, path in ipairs(arg) do
  local file <close> = assert(io.open(path))
  runs[i] = json.decode(file:read "a")
end
if #runs == 0 then
  io.stderr:write("usage: report.lua ONE.json [TWO.json ...]\n")
  os.exit(1)
end

local lines = {}
local function add(...) lines[#lines + 1] = (...):format(select(2, ...)) end

--- The rows of a set in the first run, each with the rows of the same case in the other runs behind `runs`.
local function rows_of(set)
  local rows, by_name = {}, {}
  for i, run in ipairs(runs) do
    for _, row in ipairs(run.rows) do
      if row.set == set then
        local entry = by_name[row.name]
        if not entry then
          entry = {name = row.name, runs = {}}
          by_name[row.name], rows[#rows + 1] = entry, entry
        end
        entry.runs[i] = row
      end
    end
  end
  return rows
end

local function seconds_of(times) return times.min or times.wall end

local function ratio_of(row)
  return row and row.theirs and seconds_of(row.theirs) / seconds_of(row.ours) or nil
end

local function ratio_text(ratio)
  if not ratio then return "" end
  return (ratio < 10 and "%.2f" or "%.0f"):format(ratio)
end

local function heading(run)
  return ("%d thread%s%s"):format(run.threads, run.threads == 1 and "" or "s", run.isa and ", " .. run.isa or "")
end

-- The geometric mean of the ratios of a set in run i, how many of its rows are below 1, and how many rows it has.
local function summary(rows, i)
  local sum, below, n = 0, 0, 0
  for _, row in ipairs(rows) do
    local ratio = ratio_of(row.runs[i])
    if ratio then
      sum, n = sum + math.log(ratio), n + 1
      if ratio < 1 then below = below + 1 end
    end
  end
  return n > 0 and math.exp(sum / n) or nil, below, n
end

local function columns(first)
  local names, rule = {first}, {"---"}
  for _, run in ipairs(runs) do
    names[#names + 1], rule[#rule + 1] = heading(run), "---"
  end
  add("| %s |", table.concat(names, " | "))
  add("| %s |", table.concat(rule, " | "))
end

--- One line a function, one column a size: for sets whose names end in a size.
local function table_of_sizes(rows, i)
  local sizes, functions, known = {}, {}, {}
  for _, row in ipairs(rows) do
    local name, size = row.name:match "^(.*) (%S+)$"
    if not known[size] then sizes[#sizes + 1], known[size] = size, true end
    if not functions[name] then functions[#functions + 1], functions[name] = name, {} end
    functions[name][size] = ratio_text(ratio_of(row.runs[i]))
  end
  add("%s:\n", heading(runs[i]))
  add("| | %s |", table.concat(sizes, " | "))
  add("| --- %s |", ("| --- "):rep(#sizes))
  for _, name in ipairs(functions) do
    local cells = {}
    for k, size in ipairs(sizes) do cells[k] = functions[name][size] or "" end
    add("| %s | %s |", name, table.concat(cells, " | "))
  end
  add ""
end

local function microseconds(seconds)
  local us = seconds * 1e6
  return (us < 10 and "%.2f" or "%.0f"):format(us)
end

local function table_of_rows(rows, with_peak)
  local names, rule = {"us a call"}, {"---"}
  for _, run in ipairs(runs) do
    for _, what in ipairs {"nnlua", "PyTorch", "ratio"} do
      names[#names + 1], rule[#rule + 1] = what .. ", " .. heading(run), "---:"
    end
  end
  if with_peak then
    names[#names + 1], rule[#rule + 1] = "MB, nnlua and PyTorch", "---:"
  end
  add("| %s |", table.concat(names, " | "))
  add("| %s |", table.concat(rule, " | "))
  for _, entry in ipairs(rows) do
    local cells = {entry.name}
    for i = 1, #runs do
      local row = entry.runs[i]
      cells[#cells + 1] = row and microseconds(seconds_of(row.ours)) or ""
      cells[#cells + 1] = row and row.theirs and microseconds(seconds_of(row.theirs)) or ""
      cells[#cells + 1] = ratio_text(ratio_of(row))
    end
    local row = entry.runs[1]
    if with_peak and row then
      cells[#cells + 1] = ("%.0f%s"):format(row.ours.peak / 1024,
        row.theirs and (" and %.0f"):format(row.theirs.peak / 1024) or "")
    end
    add("| %s |", table.concat(cells, " | "))
  end
  add ""
end

local SLOWEST <const> = 20

--- The rows that are slowest beside PyTorch in the first run.
local function slowest_of(rows)
  local compared = {}
  for _, entry in ipairs(rows) do
    if ratio_of(entry.runs[1]) then compared[#compared + 1] = entry end
  end
  table.sort(compared, function(a, b) return ratio_of(a.runs[1]) < ratio_of(b.runs[1]) end)
  return table.move(compared, 1, math.min(SLOWEST, #compared), 1, {})
end

local sets, known = {}, {}
for _, row in ipairs(runs[1].rows) do
  if not known[row.set] then sets[#sets + 1], known[row.set] = row.set, true end
end

add("Measured with `bench/run.lua --python P --json FILE`, %d rounds in turns, smallest times, on %s; %s; PyTorch %s.",
  runs[1].rounds, runs[1].processor, table.concat(runs[1].version, "; "), runs[1].torch or "not measured")
add("One thread does %.0f GFLOP/s in float32 and copies %.1f GB/s of memory, read and written. A ratio is PyTorch's "
  .. "time over nnlua's.\n", runs[1].limits.flops * 1e-9, runs[1].limits.copies[#runs[1].limits.copies][2] * 1e-9)

columns "geometric mean of ratios (rows below 1)"
for _, set in ipairs(sets) do
  local rows, cells = rows_of(set), {set}
  for i = 1, #runs do
    local mean, below, n = summary(rows, i)
    cells[#cells + 1] = mean and ("%.2f (%d of %d)"):format(mean, below, n) or ""
  end
  add("| %s |", table.concat(cells, " | "))
end
add ""
for _, set in ipairs(sets) do
  local rows = rows_of(set)
  add("### %s\n", set)
  if set == "ops" then
    for i = 1, #runs do table_of_sizes(rows, i) end
  elseif set == "every" then
    add("The %d slowest of %d:\n", SLOWEST, #rows)
    table_of_rows(slowest_of(rows))
  else
    table_of_rows(rows, set == "nets")
  end
end

local page = side.lines("cat " .. side.quoted(PAGE))
local text = table.concat(page, "\n") .. "\n"
local from, to = select(2, text:find(FIRST, 1, true)), text:find(LAST, 1, true)
assert(from and to, "docs/performance.md has lost its marks")
local file <close> = assert(io.open(PAGE, "w"))
file:write(text:sub(1, from), table.concat(lines, "\n"), "\n", text:sub(to))
