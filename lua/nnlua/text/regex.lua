-- Regular expressions as tokenizer.json has them, over lists of characters: alternatives, groups, (?i:), looking ahead,
-- classes with \p{…}, \s, \d, \w, and repetitions, greedy or not (? + * {n,m}, with ? behind). What else is in one is
-- an error. Each part becomes a function match(c, i, after), which calls after(j) for each end j that it has, until
-- that gives one.

local core = require "nnlua.nn.core"
local unicode = require "nnlua.text.unicode"

local regex = {}

local properties = {
  L = unicode.letters, N = unicode.numbers, Nd = unicode.decimals, Nl = unicode.letter_numbers, M = unicode.marks,
  Mn = unicode.nonspacing_marks, P = unicode.punctuation, Pc = unicode.connectors, S = unicode.symbols,
  Z = unicode.separators, C = unicode.others,
}

local escapes = {
  s = unicode.is_space, d = unicode.decimals, w = unicode.is_word, S = function(c) return not unicode.is_space(c) end,
  D = function(c) return not unicode.decimals(c) end, W = function(c) return not unicode.is_word(c) end,
}
local controls = {n = 10, r = 13, t = 9, f = 12, v = 11}

-- ------------------------------------------------------------------- parsing

local Parser = {}
Parser.__index = Parser

function Parser:fail(what)
  core.raise(("%s: the regular expression %s can't be read: %s"):format(self.name, self.source, what))
end

function Parser:peek(n)
  local c = self.c[self.at + (n or 0)]
  return c and utf8.char(c)
end

function Parser:take()
  local c = self.c[self.at]
  if not c then self:fail "it ends too early" end
  self.at = self.at + 1
  return c
end

function Parser:accept(text)
  for i = 1, #text do
    if self:peek(i - 1) ~= text:sub(i, i) then return false end
  end
  self.at = self.at + #text
  return true
end

--- What stands behind a backslash: a test of characters, or one character.
function Parser:escape()
  local letter = utf8.char(self:take())
  if letter == "p" or letter == "P" then
    local name
    if self:accept "{" then
      name = ""
      while not self:accept "}" do name = name .. utf8.char(self:take()) end
    else
      name = utf8.char(self:take())
    end
    local test = properties[name]
    if not test then self:fail(("\\p{%s} isn't known"):format(name)) end
    if letter == "P" then return function(c) return not test(c) end end
    return test
  elseif escapes[letter] then
    return escapes[letter]
  elseif controls[letter] then
    return nil, controls[letter]
  elseif letter:match "^[%w]$" then
    self:fail(("\\%s isn't known"):format(letter))
  end
  return nil, utf8.codepoint(letter)
end

--- A test for one character, which with (?i:) doesn't look at capitals.
function Parser:one(c)
  if not self.ignores_case then return function(other) return other == c end end
  local small = unicode.lower(c)
  return function(other) return (unicode.lower(other)) == small end
end

--- A test for the characters of a range, which with (?i:) is true for a letter whose small one or a capital of it is
--- in the range.
function Parser:range(from, last)
  local function is_within(c) return c >= from and c <= last end
  if not self.ignores_case then return is_within end
  return function(c)
    local small = unicode.lower(c)
    if is_within(c) or is_within(small) then return true end
    for _, capital in ipairs(unicode.capitals(small) or {}) do
      if is_within(capital) then return true end
    end
    return false
  end
end

--- What stands in brackets.
function Parser:class()
  local is_negated, tests = self:accept "^", {}
  repeat
    local first, test = self:take(), nil
    if first == 92 then test, first = self:escape() end
    if not test and self:peek() == "-" and self:peek(1) ~= "]" then
      self:take()
      local last = self:take()
      if last == 92 then
        test, last = self:escape()
        if test then self:fail "a range ends in a class" end
      end
      test = self:range(first, last)
    elseif not test then
      test = self:one(first)
    end
    tests[#tests + 1] = test
  until self:accept "]"
  return function(c)
    for _, test in ipairs(tests) do
      if test(c) then return not is_negated end
    end
    return is_negated
  end
end

local function of_test(test)
  return function(c, i, after)
    local one = c[i]
    return one and test(one) and after(i + 1)
  end, test
end

--- One thing that can be repeated: its matcher, and its test if it is one character.
function Parser:atom()
  local first = self:take()
  local letter = utf8.char(first)
  if letter == "(" then
    return self:group()
  elseif letter == "[" then
    return of_test(self:class())
  elseif letter == "." then
    return of_test(function(c) return c ~= 10 end)
  elseif letter == "\\" then
    local test, c = self:escape()
    return of_test(test or self:one(c))
  elseif letter == "^" then
    return function(_, i, after) return i == 1 and after(i) end
  elseif letter == "$" then
    return function(c, i, after) return i == #c + 1 and after(i) end
  elseif letter == "*" or letter == "+" or letter == "?" or letter == ")" then
    self:fail(("there is nothing before the %s"):format(letter))
  end
  return of_test(self:one(first))
end

function Parser:group()
  local before, ahead = self.ignores_case, nil
  if self:accept "?" then
    if self:accept "i:" then self.ignores_case = true
    elseif self:accept "!" then ahead = false
    elseif self:accept "=" then ahead = true
    elseif not self:accept ":" then self:fail "a group is of a kind that isn't known" end
  end
  local inner = self:alternatives()
  if not self:accept ")" then self:fail "a ) is missing" end
  self.ignores_case = before
  if ahead == nil then return inner end
  return function(c, i, after)
    local found = inner(c, i, function(j) return j end) and true or false
    return found == ahead and after(i)
  end
end

--- How often: least, most, and whether as seldom as can be; nil where once.
function Parser:quantifier()
  local least, most
  if self:accept "?" then least, most = 0, 1
  elseif self:accept "*" then least, most = 0, math.huge
  elseif self:accept "+" then least, most = 1, math.huge
  elseif self:accept "{" then
    local text = ""
    while not self:accept "}" do text = text .. utf8.char(self:take()) end
    local low, comma, high = text:match "^(%d+)(,?)(%d*)$"
    if not low then self:fail(("{%s} isn't known"):format(text)) end
    least = tonumber(low)
    most = comma == "" and least or high == "" and math.huge or tonumber(high)
  else
    return nil
  end
  if self:accept "+" then self:fail "repetitions that give nothing back aren't known" end
  return least, most, self:accept "?"
end

--- One character as often as it comes, without a call for each.
local function repeat_test(test, least, most)
  return function(c, i, after)
    local j, end_of = i, #c
    while j - i < most and j <= end_of and test(c[j]) do j = j + 1 end
    for stop = j, i + least, -1 do
      local found = after(stop)
      if found then return found end
    end
  end
end

local function repeat_any(inner, least, most, is_lazy)
  local function from(c, i, count, after)
    local function once_more()
      if count >= most then return end
      return inner(c, i, function(j)
        if j == i and count >= least then return end -- nothing, again and again
        return from(c, j, count + 1, after)
      end)
    end
    if count < least then return once_more() end
    if is_lazy then return after(i) or once_more() end
    return once_more() or after(i)
  end
  return function(c, i, after) return from(c, i, 0, after) end
end

function Parser:sequence()
  local parts = {}
  while self.at <= #self.c and self:peek() ~= "|" and self:peek() ~= ")" do
    local inner, test = self:atom()
    local least, most, is_lazy = self:quantifier()
    if least and test and not is_lazy then inner = repeat_test(test, least, most)
    elseif least then inner = repeat_any(inner, least, most, is_lazy) end
    parts[#parts + 1] = inner
  end
  local function run(k, c, i, after)
    local part = parts[k]
    if not part then return after(i) end
    if k == #parts then return part(c, i, after) end
    return part(c, i, function(j) return run(k + 1, c, j, after) end)
  end
  return function(c, i, after) return run(1, c, i, after) end
end

function Parser:alternatives()
  self.depth = self.depth + 1
  if self.depth > 50 then self:fail "its groups are too deep" end
  local list = {self:sequence()}
  while self:accept "|" do list[#list + 1] = self:sequence() end
  self.depth = self.depth - 1
  if #list == 1 then return list[1] end
  return function(c, i, after)
    for _, one in ipairs(list) do
      local found = one(c, i, after)
      if found then return found end
    end
  end
end

--- A function of a list of characters and a place, which gives where a match that begins there ends, or nil. `name`
--- begins the text of errors.
function regex.compile(name, source)
  local c = unicode.text_of(name, source).c
  local parser = setmetatable({name = name, source = source, c = c, at = 1, depth = 0}, Parser)
  local match = parser:alternatives()
  if parser.at <= #parser.c then parser:fail "there is a ) too many" end
  local function stop(j) return j - 1 end
  return function(c, i) return match(c, i, stop) end
end

--- A function that gives the next match in a list of characters from a place on, first and last; of nothing, last is
--- first - 1.
function regex.finder(name, source)
  local match = regex.compile(name, source)
  return function(c, from)
    for i = from, #c + 1 do
      local last = match(c, i)
      if last then return i, last end
    end
  end
end

return regex
