-- Encodings: lists, one entry a token, of their numbers, names, types, places in the text, and whether they are
-- special. Inside, numbers and types count from 0, as in the files.

local encoding = {}

local fields = {"ids", "tokens", "type_ids", "offsets", "special_tokens_mask"}

function encoding.new()
  return {ids = {}, tokens = {}, type_ids = {}, offsets = {}, special_tokens_mask = {}}
end

--- Several ones as one.
function encoding.joined(parts)
  local made = encoding.new()
  for _, part in ipairs(parts) do
    for _, field in ipairs(fields) do table.move(part[field], 1, #part[field], #made[field] + 1, made[field]) end
  end
  return made
end

--- The same with one type for all.
function encoding.with_type(one, type_id)
  local made = {}
  for key, list in pairs(one) do made[key] = list end
  made.type_ids = {}
  for i = 1, #one.ids do made.type_ids[i] = type_id end
  return made
end

--- The first n tokens, or the last n ones.
function encoding.cut(one, n, from_left)
  local total = #one.ids
  if n >= total then return one end
  local made, first = {}, from_left and total - n + 1 or 1
  for _, field in ipairs(fields) do made[field] = table.move(one[field], first, first + n - 1, 1, {}) end
  return made
end

--- How many tokens of one text and of another stay, so that they are at most `most` together.
function encoding.lengths(a, b, most, strategy)
  if a + b <= most then return a, b end
  if strategy == "only_first" then return math.max(most - b, 0), b end
  if strategy == "only_second" then return a, math.max(most - a, 0) end
  -- the longer one is cut first, then both to the same length
  local short, long = math.min(a, b), math.max(a, b)
  if short > most then
    long = short
  else
    long = math.max(short, most - short)
  end
  if short + long > most then
    short = most // 2
    long = short + most % 2
  end
  if a > b then return long, short end
  return short, long
end

return encoding
