-- Names that are nearly the one that was written.

local _ENV = require "nnlua.prompt.environment"()

local similar = {}

local byte, min = string.byte, math.min

--- How many letters must be changed, added, removed or swapped with their neighbour to make one name of the other.
local function distance(a, b)
  local before, last
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    before, last, row = last, row, {[0] = i}
    for j = 1, #b do
      local same = byte(a, i) == byte(b, j)
      local best = min(last[j - 1] + (same and 0 or 1), last[j] + 1, row[j - 1] + 1)
      if before and j > 1 and byte(a, i) == byte(b, j - 1) and byte(a, i - 1) == byte(b, j) then
        best = min(best, before[j - 2] + 1)
      end
      row[j] = best
    end
  end
  return row[#b]
end

--- The name of a set that is nearest to one, if one is near, and by how many letters: one in three may differ. Of
--- several those that begin with the same letter go first. Nothing is nearly a single letter.
function similar.nearest(name, names)
  if #name < 2 then return nil end
  local best, nearest, place = #name // 3 + 1, nil, nil
  for known in pairs(names) do
    if known ~= name and type(known) == "string" and math.abs(#known - #name) < best + 1 then
      local d = known:lower() == name:lower() and 0 or distance(name, known)
      local known_place = (byte(known) == byte(name) and "1" or "2") .. known
      if d < best or d == best and nearest and known_place < place then best, nearest, place = d, known, known_place end
    end
  end
  return nearest, nearest and best
end

return similar
