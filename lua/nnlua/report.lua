-- nl.report: what came of a run, as one HTML page that needs nothing else.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local logs_order = require "nnlua.callbacks.logs_order"
local nl = require "nnlua"
local Summary = require "nnlua.nn.summary_table"
local svg = require "nnlua.plot.svg"
local system = require "nnlua.system"

local raise = core.raise

local PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { --paper: #fff; --text: #262626; --faint: #6e6e6e; --line: #e1e1e1; --card: #f6f7f9; --best: #e7f4ea; }
.dark { display: none; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #181a1f; --text: #dedede; --faint: #969696; --line: #3a3e44; --card: #22252b; --best: #1e3a28; }
  .light { display: none; }
  .dark { display: block; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem clamp(0.75rem, 3vw, 2.5rem); background: var(--paper);
  color: var(--text); font: 16px/1.5 system-ui, "DejaVu Sans", Verdana, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.75rem; }
p.when { color: var(--faint); margin: 0.25rem 0 1.25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0.75rem; }
.card { background: var(--card); border-radius: 0.5rem; padding: 0.6rem 0.8rem; }
.card b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.card span { color: var(--faint); font-size: 0.85rem; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%%, 24rem), 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--faint); font-size: 0.9rem; }
figure svg { width: 100%%; height: auto; }
figure img { width: min(100%%, 20rem); height: auto; image-rendering: pixelated; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0.3rem; }
tr.best td { background: var(--best); }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--paper); }
.scroll tr.best td:first-child { background: var(--best); }
.cards + .scroll { margin-top: 1rem; }
table.layers td:first-child, table.layers th:first-child, table.names td { text-align: left; }
table.names td { vertical-align: top; }
table.names td:last-child { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { background: var(--card); border-radius: 0.5rem; padding: 0.8rem; overflow-x: auto; font-size: 0.85rem; }
details { margin-top: 1rem; }
summary { cursor: pointer; }
</style>
</head>
<body>
<h1>%s</h1>
<p class="when">%s</p>
%s
</body>
</html>
]]

-- -------------------------------------------------------------------- texts

local entities = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

local function escaped(text)
  return (tostring(text):gsub('[&<>"]', entities))
end

local function number_text(value)
  if core.is_tensor(value) then return value:numel() == 1 and number_text(value:item()) or nl.repr(value) end
  return math.type(value) == "float" and core.format("%.4g", value) or tostring(value)
end

local function section(title, content)
  return content ~= "" and ("<section>\n<h2>%s</h2>\n%s\n</section>"):format(escaped(title), content) or ""
end

local function cards(list)
  local parts = {}
  for i, card in ipairs(list) do
    local name = escaped(card[1]):gsub("/", "/<wbr>")
    parts[i] = ('<div class="card"><b>%s</b><span>%s</span></div>'):format(escaped(card[2]), name)
  end
  return '<div class="cards">\n' .. table.concat(parts, "\n") .. "\n</div>"
end

-- ------------------------------------------------------------------ figures

--- A figure's drawing for light and dark screens.
local function drawing(figure)
  return ('<div class="light">%s</div><div class="dark">%s</div>'):format(figure:svg(), figure:svg "dark")
end

--- A picture (channels, height, width) as it is.
local function picture(x)
  local pixels = x.dtype == nl.uint8 and x or (x:detach():float() * 255):clamp(0, 255):to(nl.uint8)
  if pixels.ndim == 2 then pixels = pixels:unsqueeze(1) end
  local bytes = nl.io.encode_png(pixels:contiguous()):tobytes()
  return ('<img alt="" src="data:image/png;base64,%s">'):format(svg.base64(bytes))
end

local function captioned(title, content)
  return ("<figure>%s<figcaption>%s</figcaption></figure>"):format(content, escaped(title))
end

local function grid_of(figures)
  return #figures > 0 and '<div class="figures">\n' .. table.concat(figures, "\n") .. "\n</div>" or ""
end

--- Curves of each value with that of the validation beside it; of one epoch there is nothing to draw.
local function curves(history)
  local figures = {}
  if #history < 2 then return "" end
  for _, name in ipairs(logs_order.values(history[1])) do
    local base = name:match "^val_(.+)$"
    if type(history[1][name]) == "number" and not (base and history[1][base]) then
      local series = {}
      for i, row in ipairs(history) do
        for _, one in ipairs {name, "val_" .. name} do
          if row[one] then
            series[one] = series[one] or {}
            series[one][i] = row[one]
          end
        end
      end
      figures[#figures + 1] = captioned(name, drawing(nl.plot.curves(series, {xlabel = "epoch", figsize = {5.2, 3.4}})))
    end
  end
  return grid_of(figures)
end

--- Samples: figures of nl.plot, pictures, texts, each under its title.
local function samples_of(samples)
  local figures = {}
  for i, sample in ipairs(samples) do
    local title, value = "", sample
    if type(sample) == "table" and getmetatable(sample) == nil then title, value = sample.title or "", sample.value end
    local content
    if class.is_a(value, nl.plot.Figure) then content = drawing(value)
    elseif core.is_tensor(value) then content = picture(value)
    else content = ("<pre>%s</pre>"):format(escaped(value)) end
    figures[i] = captioned(title, content)
  end
  return grid_of(figures)
end

-- ------------------------------------------------------------------- tables

local function row_of(cells, tag, mark)
  for i, cell in ipairs(cells) do cells[i] = ("<%s>%s</%s>"):format(tag, escaped(cell), tag) end
  return ("<tr%s>%s</tr>"):format(mark and ' class="best"' or "", table.concat(cells))
end

--- A row for each epoch; the best one is marked.
local function epochs_table(history, best)
  if #history == 0 then return "" end
  local names, rows = logs_order.names(history[1]), {}
  rows[1] = row_of(table.move(names, 1, #names, 1, {}), "th")
  for i, logs in ipairs(history) do
    local cells = {}
    for k, name in ipairs(names) do cells[k] = logs[name] ~= nil and number_text(logs[name]) or "" end
    rows[i + 1] = row_of(cells, "td", best and best.epoch == logs.epoch)
  end
  return '<div class="scroll"><table>\n' .. table.concat(rows, "\n") .. "\n</table></div>"
end

local function settings_table(settings)
  local names, rows = {}, {}
  for name in pairs(settings) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = settings[name]
    rows[i] = row_of({name, type(value) == "table" and nl.repr(value) or number_text(value)}, "td")
  end
  if #rows == 0 then return "" end
  return '<div class="scroll"><table class="names">\n' .. table.concat(rows, "\n") .. "\n</table></div>"
end

--- A row for each layer, set in by how deep it is.
local function layers_table(summary)
  local list, rows, layers = summary:_cells()
  local lines = {}
  local function add(cells, tag, depth)
    local parts = {}
    for i, column in ipairs(list) do
      local style = column.is_text and "text-align:left"
      if i == 1 then style = core.format("padding-left:%.1fem", 0.3 + 1.2 * depth) end
      parts[i] = ("<%s%s>%s</%s>"):format(tag, style and ' style="' .. style .. '"' or "", escaped(cells[i]), tag)
    end
    lines[#lines + 1] = "<tr>" .. table.concat(parts) .. "</tr>"
  end
  local titles = {}
  for i, column in ipairs(list) do titles[i] = column.title end
  add(titles, "th", 0)
  for i, cells in ipairs(rows) do add(cells, "td", layers[i].depth) end
  return '<div class="scroll"><table class="layers">\n' .. table.concat(lines, "\n") .. "\n</table></div>"
end

--- The model: what its layers add up to, the layers, and what it prints as.
local function model_text(model, summary)
  local parts = {}
  if summary then
    local list = {}
    for i, fact in ipairs(summary:_facts()) do list[i] = {fact[1], fact[2]} end
    parts = {cards(list), layers_table(summary)}
  end
  if model then
    parts[#parts + 1] = ("<details><summary>%s, as it prints</summary><pre>%s</pre></details>"):format(
      escaped(core.class_of(model)), escaped(model))
  end
  return table.concat(parts, "\n")
end

-- --------------------------------------------------------------------- page

local parse = args.parser("nl.report", {
  {"path", "string"}, {"history", "list"}, {"title", "string?"}, {"model", "module?"}, {"best", "any?"},
  {"settings", "any?"}, {"samples", "any?"}, {"summary", "any?"},
})

--- What stands at the top: how long it was, what came of it.
local function facts(history, summary, best)
  local list, last = {{"epochs", #history}}, history[#history] or {}
  if last.step then list[#list + 1] = {"steps", last.step} end
  if summary then list[#list + 1] = {"parameters", summary.total_params} end
  if best then
    list[#list + 1] = {("best %s, in epoch %d"):format(best.name or "value", best.epoch), number_text(best.value)}
  end
  for _, name in ipairs(logs_order.values(last)) do
    list[#list + 1] = {name .. ", at the end", number_text(last[name])}
  end
  return list
end

--- Writes what came of a run as one HTML page that needs no other file: what it ended with, learning curves, samples, a
--- table of epochs, the model, settings. `history` is a list of tables of values, one for each epoch, as trainer:fit
--- gives; `best` a table {epoch =, value =, name =}; `samples` a list of figures of nl.plot, pictures, texts, or of
--- tables {title =, value =} of these; `settings` a table of what the run was made with; `summary` what
--- nn.summary(model, input) gives, the table of layers: without it, that of the model without shapes. trainer:report
--- fills in the most of it.
---     > path = os.tmpname()
---     > nl.report(path, {{epoch = 1, loss = 0.5}, {epoch = 2, loss = 0.25}}, {title = "two epochs"})
---     > io.open(path):read "l"
---     <!DOCTYPE html>
---@param path string
---@param history table[]
---@param title? string
---@param model? Module
---@param best? table
---@param settings? table
---@param samples? any[]
---@param summary? Summary
local function report(...)
  local path, history, title, model, best, settings, samples, summary = parse(...)
  for i, logs in ipairs(history) do
    if type(logs) ~= "table" then
      raise(("nl.report: history[%d] must be a table of values, not %s"):format(i, core.describe(logs)))
    end
  end
  for name, value in pairs {best = best or {}, settings = settings or {}, samples = samples or {}} do
    if type(value) ~= "table" then
      raise(("nl.report: %s must be a table, not %s"):format(name, core.describe(value)))
    end
  end
  if summary ~= nil and not class.is_a(summary, Summary) then
    raise("nl.report: summary must be what nn.summary gives, not " .. core.describe(summary))
  end
  title, summary = title or "A run", summary or model and nl.nn.summary(model)
  local parts = {
    cards(facts(history, summary, best)),
    section("Curves", curves(history)),
    section("Samples", samples_of(samples or {})),
    section("Epochs", epochs_table(history, best)),
    section("Model", model_text(model, summary)),
    section("Settings", settings_table(settings or {})),
  }
  local page = PAGE:format(escaped(title), escaped(title), os.date "%Y-%m-%d %H:%M", table.concat(parts, "\n"))
  system.write_bytes("nl.report", path, page)
end

return report
