-- Gathers the pages of the site: nnlua docs/site.lua FOLDER, from the project's root, with docs/reference.md written
-- before (docs/write.lua). The README becomes the first page; a link that leads out of docs/ becomes plain text, since
-- the sources are no part of the site. mkdocs makes HTML of them by docs/mkdocs.yml: ./bootstrap docs does all of it.
local folder = assert(..., "which folder?")

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- The folder of a path and the path of a link from there, without what "." and ".." say; nil where it leads out.
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

local pages = {["README.md"] = "index.md"}
for path in io.popen("find docs -name '*.md'"):lines() do pages[path] = path:sub(#"docs/" + 1) end

for page, place in pairs(pages) do
  local up = ("../"):rep(select(2, place:gsub("/", "")))
  local text = read(page):gsub("(!?)%[([^%[%]]*)%]%(([^()%s]+)%)", function(picture, label, link)
    local path, anchor = link:match "^([^#]*)(.*)$"
    if path == "" or link:find "^%a+:" then return nil end
    local target = target_of(page, path)
    if target and pages[target] then return ("%s[%s](%s%s%s)"):format(picture, label, up, pages[target], anchor) end
    if target and target:find "^docs/pictures/" then
      return ("%s[%s](%s%s)"):format(picture, label, up, target:sub(#"docs/" + 1))
    end
    return label
  end)
  local path = folder .. "/" .. place
  assert(os.execute("mkdir -p -- '" .. path:gsub("[^/]*$", "") .. "'"))
  write(path, text)
end

-- The reference is a page for each of its sections: mkdocs takes minutes for the whole in one.
local intro, sections = read "docs/reference.md":match "^(.-)\n## (.*)$"
intro = intro:gsub("%(#([%w-]+)%)", "(reference/%1.md)")
write(folder .. "/reference.md", intro)
assert(os.execute("mkdir -p -- '" .. folder .. "/reference'"))
for section in (sections:gsub("\n## ", "\0") .. "\0"):gmatch "([^\0]*)\0" do
  local title = section:match "^[^\n]*"
  local place = title:lower():gsub("[^%w ]", ""):gsub(" ", "-")
  write(("%s/reference/%s.md"):format(folder, place), "# " .. section:gsub("\n### ", "\n## "))
end
assert(os.execute("cp -r docs/pictures docs/site.css '" .. folder .. "/'"))
