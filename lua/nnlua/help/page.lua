-- The reference page: all entries of the help as one text of Markdown.

local catalogue = require "nnlua.help.catalogue"
local text = require "nnlua.help.text"

local page = {}

local HEAD = [[
# Reference

All functions, methods, layers and tools, from the same descriptions as `help` at the prompt (`nnlua docs/write.lua`
writes this page). Everything that counts starts at 1. In shapes `*` is any number of dimensions, `()` a tensor without
any; a `?` marks an argument that may be left out, and arguments may be given by name in a last table. Each example is
run by the tests.
]]

local groups = {
  {"nnlua", "Making tensors, modes, settings"}, {"Tensor", "Methods and fields of tensors"}, {"ops", "Operations"},
  {"autograd", "Gradients"},
  {"func", "Functions of functions"}, {"Modules", "Modules and layers"}, {"Initial values", "Initial values"},
  {"Tools for modules", "Tools for modules"}, {"Optimizers", "Optimizers"},
  {"Schedules", "Schedules of learning rates"},
  {"Averages of models", "Averages of models"},
  {"Distributions", "Probability distributions"},
  {"Data", "Data"}, {"Training", "Training"},
  {"Files", "Files, pictures and sound"}, {"Pictures", "Transforms of pictures, and what is found in them"},
  {"Plots", "Figures"},
  {"Sound", "Spectra of sound, and other rates"}, {"Text", "Text"},
  {"Programs", "Programs"}, {"Profiles", "Profiles"}, {"Several processes", "Several processes"},
  {"Scripts", "Options of scripts"}, {"Testing", "Testing"},
}

local function anchor(title)
  return (title:lower():gsub("[^%w ]", ""):gsub(" ", "-"))
end

--- Text that Markdown shows as it is: code stays code.
local function escaped(paragraph)
  local pieces, is_code = {}, false
  for piece in (paragraph .. "`"):gmatch "(.-)`" do
    pieces[#pieces + 1] = is_code and "`" .. piece .. "`" or piece:gsub("[*_<>|]", "\\%0")
    is_code = not is_code
  end
  return table.concat(pieces)
end

local function add_overload(lines, overload)
  lines[#lines + 1] = "```lua"
  for _, signature in ipairs(overload.signatures) do lines[#lines + 1] = signature end
  lines[#lines + 1] = "```"
  local parts = text.parts(overload.text)
  for _, paragraph in ipairs(parts.paragraphs) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = escaped(paragraph)
  end
  if #parts.shapes > 0 then
    lines[#lines + 1] = ""
    lines[#lines + 1] = "Shapes: " .. escaped(table.concat(parts.shapes, "; "))
  end
  if #parts.examples > 0 then
    lines[#lines + 1] = "\n```"
    for _, line in ipairs(parts.examples) do lines[#lines + 1] = line end
    lines[#lines + 1] = "```"
  end
end

local function add_entry(lines, entry)
  lines[#lines + 1] = "\n### " .. entry.name .. "\n"
  for i, overload in ipairs(entry.overloads) do
    if i > 1 then lines[#lines + 1] = "" end
    add_overload(lines, overload)
  end
  if entry.aliases and #entry.aliases > 0 then
    lines[#lines + 1] = "\nAlso called " .. escaped(table.concat(entry.aliases, ", ")) .. "."
  end
end

--- The page.
function page.text()
  local lines = {HEAD}
  for _, group in ipairs(groups) do lines[#lines + 1] = ("- [%s](#%s)"):format(group[2], anchor(group[2])) end
  for _, group in ipairs(groups) do
    lines[#lines + 1] = "\n## " .. group[2]
    for _, entry in ipairs(catalogue.all()) do
      if entry.group == group[1] then add_entry(lines, entry) end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return page
