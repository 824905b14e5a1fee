-- Colours of what is no mark: texts, frames, the paper.

local themes = {}

local known = {
  light = {text = {38, 38, 38}, frame = {110, 110, 110}, grid = {225, 225, 225}, paper = {255, 255, 255}},
  dark = {text = {222, 222, 222}, frame = {150, 150, 150}, grid = {58, 62, 68}, paper = {24, 26, 31}},
}

--- A colour by its role ("text", "frame", "grid", "paper"), or that which is given.
function themes.colour(theme, colour)
  return type(colour) == "string" and known[theme][colour] or colour
end

--- Whether there is a theme of a name.
function themes.exists(name)
  return known[name] ~= nil
end

return themes
