-- Makes the site around what mkdocs does: ./bootstrap docs calls it before and after, from the project's root.
--   nnlua docs/site.lua pages FOLDER    gathers the pages, with docs/reference.md written before (docs/write.lua). The
--                                       README becomes a page; a link that leads out of docs/ becomes plain text,
--                                       since the sources are no part of the site
--   nnlua docs/site.lua search SITE     makes the search work where the site is opened as files
local task, folder = ...
assert(folder, "which folder?")

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- The path of a link on a page, without what "." and ".." say; nil where it leads out.
local function target_of(page, link)
  local parts = {}
  for part in (page:gsub("[^/]*$", "") .. link):gmatch "[^/]+" do
    if part == ".." then
      if #parts == 0 then return nil end
      table.remove(parts)
    elseif part ~= "." then
      table.insert(parts, part)
    end
  end
  return table.concat(parts, "/")
end

local pages = {["README.md"] = "overview.md"}
for path in io.popen("find docs -name '*.md' ! -path docs/reference.md"):lines() do
  pages[path] = path:sub(#"docs/" + 1)
end

--- Lists in lists as mkdocs wants them: each level four spaces in, where ours have two.
local function with_wide_lists(text)
  local is_code, lines = false, {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if line:find "^```" then is_code = not is_code end
    if not is_code then line = line:gsub("^( +)([-*%d])", "%1%1%2") end
    table.insert(lines, line)
  end
  return table.concat(lines, "\n")
end

--- The text of a page with its links as they are in the site.
local function moved(page, place)
  local up = ("../"):rep(select(2, place:gsub("/", "")))
  return (read(page):gsub("(!?)%[([^%[%]]*)%]%(([^()%s]+)%)", function(picture, label, link)
    local path, anchor = link:match "^([^#]*)(.*)$"
    if path == "" or link:find "^%a+:" then return nil end
    local target = target_of(page, path)
    if target and pages[target] then
      if label == target then label = read(target):match "^# ([^\n]*)" end
      return ("%s[%s](%s%s%s)"):format(picture, label, up, pages[target], anchor)
    end
    if target and target:find "^docs/pictures/" then
      return ("%s[%s](%s%s)"):format(picture, label, up, target:sub(#"docs/" + 1))
    end
    return label
  end))
end

--- The names of a section of the reference as links, by the anchors that mkdocs gives them.
local function names_of(section, place)
  local links, seen = {}, {}
  for name in section:gmatch "\n### ([^\n]*)" do
    local anchor = name:gsub("\\", ""):gsub("[^%w_-]", ""):lower()
    local count = seen[anchor]
    seen[anchor] = (count or 0) + 1
    table.insert(links, ("[%s](%s#%s%s)"):format(name, place, anchor, count and "_" .. count or ""))
  end
  return table.concat(links, ", ")
end

--- A section with the pictures of its entries below their signatures.
local function with_pictures(section, drawn)
  return (section:gsub("\n### ([^\n]*)(\n\n```lua\n.-\n```\n)", function(name, signature)
    local pictures = {}
    for i, file in ipairs(drawn[name] or {}) do
      pictures[i] = ("![%s](pictures/reference/%s)\n"):format(name:gsub("_", "\\_"), file)
    end
    return #pictures > 0 and ("\n### %s%s\n%s"):format(name, signature, table.concat(pictures)) or nil
  end))
end

local function place_of(title)
  return ("reference/%s.md"):format((title:lower():gsub("[^%w ]", ""):gsub(" ", "-")))
end

--- Writes the page of a part of the reference, whose entries begin with "### ".
local function write_part(title, entries, drawn)
  local text = with_pictures(entries, drawn):gsub("\n### ", "\n## "):gsub("%]%(pictures/", "](../pictures/")
  write(folder .. "/" .. place_of(title), "# " .. title .. "\n" .. text)
end

--- Writes a page for each kind of operations; a list of their titles, places and entries.
local function write_operations(section, drawn)
  local index = {}
  for _, kind in ipairs(dofile "docs/operations.lua"(section)) do
    local title, entries = "Operations: " .. kind.title:lower(), "\n" .. table.concat(kind.entries, "\n")
    write_part(title, entries, drawn)
    table.insert(index, {title = kind.title, place = place_of(title), entries = entries})
  end
  return index
end

--- A list of the names of a part, with a link to its page.
local function names_text(level, title, place, names)
  return ("\n%s %s\n\n[All of this part](%s): %s\n{: .names }\n"):format(level, title, place, names)
end

--- Writes the reference as a page for each of its sections, for mkdocs takes minutes for the whole in one, and one that
--- lists all names. Operations, which are the most, have a page for each kind, and one that lists those.
local function write_reference()
  local intro, sections = read "docs/reference.md":match "^(.-)\n%- .-\n## (.*)$"
  local index, drawn = {intro}, dofile "docs/drawn.lua"(folder .. "/pictures/reference")
  assert(os.execute("mkdir -p -- '" .. folder .. "/reference'"))
  for section in (sections:gsub("\n## ", "\0") .. "\0"):gmatch "([^\0]*)\0" do
    local title, entries = section:match "^([^\n]*)(.*)$"
    if title == "Operations" then
      local kinds = {"# Operations\n"}
      table.insert(index, "\n## Operations\n")
      for _, one in ipairs(write_operations(entries, drawn)) do
        table.insert(index, names_text("###", one.title, one.place, names_of(one.entries, one.place)))
        local place = one.place:match "[^/]*$"
        table.insert(kinds, names_text("##", one.title, place, names_of(one.entries, place)))
      end
      write(folder .. "/" .. place_of(title), table.concat(kinds))
    else
      table.insert(index, names_text("##", title, place_of(title), names_of(section, place_of(title))))
      write_part(title, entries, drawn)
    end
  end
  write(folder .. "/reference.md", table.concat(index))
end

local function gather()
  for page, place in pairs(pages) do
    local path = folder .. "/" .. place
    assert(os.execute("mkdir -p -- '" .. path:gsub("[^/]*$", "") .. "'"))
    write(path, with_wide_lists(moved(page, place)))
  end
  assert(os.execute("cp -r docs/pictures docs/site.css '" .. folder .. "/'"))
  write_reference()
end

--- Writes a script that holds the index and the worker that searches: a page that was opened as a file may neither
--- fetch the one nor start the other (docs/theme/main.html).
local function write_search()
  local worker
  for path in io.popen("ls '" .. folder .. "'/assets/javascripts/workers/search.*.min.js"):lines() do worker = path end
  local index = read(folder .. "/search/search_index.json")
  local quoted = read(assert(worker)):gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("\r", "\\r")
  write(folder .. "/search/as_files.js", ("var __search = {index: Promise.resolve(%s), worker: URL.createObjectURL(" ..
    "new Blob([\"%s\"], {type: \"text/javascript\"}))}\n"):format(index, quoted))
end

if task == "pages" then
  gather()
else
  assert(task == "search", "pages or search?")
  write_search()
end
