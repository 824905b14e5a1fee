--- Reads JSON. Integers and floats stay apart and come out exactly; null is `json.null`.

local json = {}

json.null = setmetatable({}, {__tostring = function() return "null" end})

local find, sub = string.find, string.sub

local function fail(at, what)
  error(("JSON: %s at character %d"):format(what, at), 0)
end

local function skip_space(text, at)
  return find(text, "[^ \t\r\n]", at) or #text + 1
end

-- ------------------------------------------------------------------- strings

local ESCAPES = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
                 ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

--- Two escapes that together stand for one character beyond the first 65,536.
local function joined(high, low)
  local bits = (tonumber(high, 16) & 0x3FF) << 10 | tonumber(low, 16) & 0x3FF
  return utf8.char(0x10000 + bits)
end

--- What an escape stands for; hexadecimal digits may follow any of them by chance.
local function unescaped(kind, digits)
  if kind == "u" then
    return utf8.char(tonumber(digits, 16))
  end
  return (ESCAPES[kind] or error("JSON: unknown escape \\" .. kind, 0)) .. digits
end

local function parse_string(text, at)
  local _, last, plain = find(text, '^"([^"\\]*)"', at)
  if last then
    return plain, last + 1
  end
  local stop = at + 1
  while sub(text, stop, stop) ~= '"' do
    stop = find(text, '["\\]', stop) or fail(at, "unfinished string")
    if sub(text, stop, stop) == "\\" then
      stop = stop + 2
    end
  end
  local raw = sub(text, at + 1, stop - 1)
  raw = raw:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", joined)
  return raw:gsub("\\(.)(%x?%x?%x?%x?)", unescaped), stop + 1
end

-- ------------------------------------------------------- numbers and literals

local LITERALS = {["true"] = true, ["false"] = false, null = json.null}

local function parse_literal(text, at)
  local _, last, word = find(text, "^(%l+)", at)
  if LITERALS[word] == nil then
    fail(at, "unexpected character")
  end
  return LITERALS[word], last + 1
end

local function parse_number(text, at)
  local _, last, digits = find(text, "^([-+.%deE]+)", at)
  local number = digits and tonumber(digits)
  if not number then
    return parse_literal(text, at)
  end
  return number, last + 1
end

-- ---------------------------------------------------------------- containers

local parse_value

--- The numbers between brackets if there is nothing else: the bulk of every file.
local function parse_numbers(text, at)
  local _, last, inside = find(text, "^%[([-+.%deE,]*)%]", at)
  if not last then
    return nil
  end
  if inside ~= "" and find("," .. inside .. ",", ",,", 1, true) then
    fail(at, "missing number")
  end
  local numbers, n = {}, 0
  for digits in inside:gmatch("[^,]+") do
    n = n + 1
    numbers[n] = tonumber(digits) or fail(at, "malformed number")
  end
  return numbers, last + 1
end

--- The place after a comma, or nil and the place after the closing bracket.
local function next_entry(text, at, closing)
  at = skip_space(text, at)
  local mark = sub(text, at, at)
  if mark == "," then
    return skip_space(text, at + 1)
  elseif mark ~= closing then
    fail(at, "expected , or " .. closing)
  end
  return nil, at + 1
end

local function parse_array(text, at)
  local numbers, after = parse_numbers(text, at)
  if numbers then
    return numbers, after
  end
  local array, n = {}, 0
  at = skip_space(text, at + 1)
  if sub(text, at, at) == "]" then
    return array, at + 1
  end
  while at do
    n = n + 1
    array[n], at = parse_value(text, at)
    at, after = next_entry(text, at, "]")
  end
  return array, after
end

local function parse_object(text, at)
  local object, key, after = {}, nil, nil
  at = skip_space(text, at + 1)
  if sub(text, at, at) == "}" then
    return object, at + 1
  end
  while at do
    if sub(text, at, at) ~= '"' then
      fail(at, "expected a name")
    end
    key, at = parse_string(text, at)
    at = skip_space(text, at)
    if sub(text, at, at) ~= ":" then
      fail(at, "expected :")
    end
    object[key], at = parse_value(text, skip_space(text, at + 1))
    at, after = next_entry(text, at, "}")
  end
  return object, after
end

local PARSERS = {["{"] = parse_object, ["["] = parse_array, ['"'] = parse_string}

function parse_value(text, at)
  local parse = PARSERS[sub(text, at, at)] or parse_number
  return parse(text, at)
end

--- The value that a text of JSON stands for.
function json.decode(text)
  local value, at = parse_value(text, skip_space(text, 1))
  if skip_space(text, at) <= #text then
    fail(at, "text after the value")
  end
  return value
end

return json
