-- Texts for a terminal, a file or a picture: how many columns they take, and what of them is harmless.

local terminal_text = {}

-- Signs that take two columns of a terminal (East Asian and pictures), and those that take none.
local wide = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
  {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6},
  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}}
local none = {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

--- The columns of a character in a terminal.
function terminal_text.columns_of(code)
  if code < 0x300 then return 1 end
  return is_in(none, code) and 0 or is_in(wide, code) and 2 or 1
end

--- The columns of a text.
function terminal_text.columns(text)
  local sum = 0
  for _, code in utf8.codes(text) do sum = sum + terminal_text.columns_of(code) end
  return sum
end

--- A text as far as it fits into so many columns, with "…" where something is missing.
function terminal_text.cut(text, columns)
  text = terminal_text.clean(text)
  if terminal_text.columns(text) <= columns then return text end
  local sum = 0
  for at, code in utf8.codes(text) do
    sum = sum + terminal_text.columns_of(code)
    if sum >= columns then return text:sub(1, at - 1) .. "…" end
  end
end

--- A text in which nothing acts on a terminal or breaks a file: bytes that are no UTF-8 and control characters are
--- replaced, line ends become blanks.
function terminal_text.clean(text)
  if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
  text = text:gsub("\xC2[\x80-\x9F]", "?"):gsub("\xEF\xBF[\xBE\xBF]", "?")
  return (text:gsub("[\n\r\t]", " "):gsub("[\0-\31\127]", "?"))
end

return terminal_text
