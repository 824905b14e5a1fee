-- Entries of the help as text.

local text = {}

local WIDTH = 80

--- A paragraph in lines of at most so many bytes; those after the first may have another indent.
local function wrapped(paragraph, indent, further)
  local lines, line = {}, indent
  for word in paragraph:gmatch "%S+" do
    if line:find "%S" and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line = further or indent
    end
    line = line .. (line:find "%S" and " " or "") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- The parts of a description: paragraphs, lines of shapes, examples as they stand.
function text.parts(description)
  local parts = {paragraphs = {}, shapes = {}, examples = {}}
  local paragraph, list -- the place of the text that a line may go on with, and what it is in
  local function begin(in_list, line)
    table.insert(in_list, line)
    list, paragraph = in_list, #in_list
  end
  for line in (description .. "\n"):gmatch "(.-)\n" do
    local shape = line:match "^Shapes:%s*(.*)$"
    if line:find "^    " then
      table.insert(parts.examples, line:sub(5))
      paragraph = nil
    elseif shape then
      begin(parts.shapes, shape)
    elseif line == "" then
      if #parts.examples > 0 then table.insert(parts.examples, "") end
      paragraph = nil
    elseif paragraph then
      list[paragraph] = list[paragraph] .. " " .. line
    else
      begin(parts.paragraphs, line)
    end
  end
  while parts.examples[#parts.examples] == "" do table.remove(parts.examples) end
  return parts
end

local function add_overload(lines, overload)
  for _, signature in ipairs(overload.signatures) do lines[#lines + 1] = wrapped(signature, "", "    ") end
  local parts = text.parts(overload.text)
  for _, paragraph in ipairs(parts.paragraphs) do lines[#lines + 1] = wrapped(paragraph, "  ") end
  for i, shape in ipairs(parts.shapes) do lines[#lines + 1] = wrapped((i == 1 and "Shapes: " or "") .. shape, "  ") end
  if #parts.examples > 0 then lines[#lines + 1] = "" end
  for _, line in ipairs(parts.examples) do lines[#lines + 1] = line == "" and "" or "    " .. line end
end

local function add_tags(lines, doc)
  for _, one in ipairs(doc.params) do lines[#lines + 1] = wrapped(("%s: %s"):format(one.name, one.kind), "    ") end
  for _, one in ipairs(doc.fields) do
    lines[#lines + 1] = wrapped((".%s: %s %s"):format(one.name:gsub("%?$", ""), one.kind, one.text or ""), "    ")
  end
end

--- An entry as help prints it.
function text.entry(entry)
  local lines = {}
  for i, overload in ipairs(entry.overloads) do
    if i > 1 then lines[#lines + 1] = "" end
    add_overload(lines, overload)
  end
  if entry.doc and (#entry.doc.params > 0 or #entry.doc.fields > 0) then
    lines[#lines + 1] = ""
    add_tags(lines, entry.doc)
  end
  if entry.aliases and #entry.aliases > 0 then
    lines[#lines + 1] = wrapped("Also: " .. table.concat(entry.aliases, ", "), "  ")
  end
  if entry.methods and #entry.methods > 0 then
    lines[#lines + 1] = wrapped("Methods: " .. table.concat(entry.methods, ", "), "  ")
  end
  return table.concat(lines, "\n")
end

text.wrapped = wrapped

return text
