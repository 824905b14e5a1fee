-- Figures on a terminal: in its width and colours, and as pictures where it shows them.
local nl = require "nnlua"
local Terminal = require "support.terminal"
local protocols = require "nnlua.plot.protocols"
local screen = require "nnlua.plot.screen"

-- The pixels of a sixel text by DEC's rules: rows of colours {r, g, b} in percent.
local function pixels_of(text)
  local width, height, body = text:match '^\27P0;1q"1;1;(%d+);(%d+)(.*)\27\\$'
  local colours, rows = {}, {}
  for y = 1, tonumber(height) do rows[y] = {} end
  local x, top, colour, at = 1, 0, nil, 1
  local function put(sign, n)
    for _ = 1, n do
      for k = 0, 5 do
        if sign:byte() - 63 >> k & 1 == 1 then rows[top + k + 1][x] = colour end
      end
      x = x + 1
    end
  end
  while at <= #body do
    local rest = body:sub(at, at + 30)
    local number, r, g, b = rest:match "^#(%d+);2;(%d+);(%d+);(%d+)"
    local chosen, n, sign = rest:match "^#(%d+)", rest:match "^!(%d+)(.)"
    if number then
      colours[number] = {tonumber(r), tonumber(g), tonumber(b)}
      at = at + #rest:match "^#[%d;]+"
    elseif chosen then
      colour = colours[chosen]
      at = at + 1 + #chosen
    elseif n then
      put(sign, tonumber(n))
      at = at + 2 + #n
    else
      local c = rest:sub(1, 1)
      if c == "$" then x = 1 elseif c == "-" then x, top = 1, top + 6 else put(c, 1) end
      at = at + 1
    end
  end
  return rows, tonumber(width), tonumber(height)
end

local function decoded(text)
  local alphabet, bits, bytes = {}, 0, {}
  for i, c in ipairs {("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(1, 64)} do
    alphabet[c] = i - 1
  end
  local n = 0
  for i = 1, #text do
    local value = alphabet[text:byte(i)]
    if value then
      bits, n = bits << 6 | value, n + 6
      if n >= 8 then
        n = n - 8
        bytes[#bytes + 1] = string.char(bits >> n & 255)
        bits = bits & (1 << n) - 1
      end
    end
  end
  return table.concat(bytes)
end

describe("pictures in the terminal", function()
  local picture = nl.randint(0, 2, {3, 13, 20}):to(nl.uint8) * 255
  local png = nl.io.encode_png(picture):tobytes()

  it("are every pixel by sixel", function()
    local rows, width, height = pixels_of(protocols.sixel(png))
    assert.same({20, 13}, {width, height})
    local x = picture:permute(2, 3, 1):tolist()
    for i = 1, 13 do
      for j = 1, 20 do
        for c = 1, 3 do assert.equal(x[i][j][c] * 100 // 255, rows[i][j][c]) end
      end
    end
    local photo = pixels_of(protocols.sixel(nl.io.encode_png(nl.randint(0, 256, {3, 64, 64}):to(nl.uint8)):tobytes()))
    for i = 1, 64 do assert.equal(64, #photo[i]) end
  end)

  it("are the file itself by kitty's protocol, in pieces", function()
    local large = nl.io.encode_png(nl.randint(0, 256, {3, 64, 64}):to(nl.uint8)):tobytes()
    local pieces, last = {}, nil
    for head, data in protocols.kitty(large):gmatch "\27_G([^;]*);([^\27]*)\27\\" do
      assert.is_true(#data <= 4096)
      assert.matches(#pieces == 0 and "^a=T,f=100,q=2,m=1$" or "^q=2,m=[01]$", head)
      pieces[#pieces + 1], last = data, head
    end
    assert.is_true(#pieces > 1)
    assert.matches("m=0", last)
    assert.equal(large, decoded(table.concat(pieces)))
  end)

  it("are shown where the terminal says that it can", function()
    local said = screen.read_answers "\27_Gi=31;OK\27\\\27]11;rgb:1c1c/1c1c/1c1c\27\\\27[6;20;10t\27[?62;4;22c"
    assert.same({protocol = "kitty", is_dark = true, cell_width = 10, cell_height = 20}, said)
    assert.same({protocol = "sixel", is_dark = false}, screen.read_answers "\27]11;rgb:ffff/ffff/ffff\7\27[?62;4c")
    assert.same({is_dark = false}, screen.read_answers "\27[?1;2c")
    assert.same({is_dark = false}, screen.read_answers "\27_Gi=31;ENOTSUPPORTED:x\27\\\27[?64;14c")
    assert.same({is_dark = false}, screen.read_answers "")
  end)
end)

describe("a figure at the prompt", function()
  it("is drawn in the terminal's width and colours, and what is typed next is still there", function()
    local t = Terminal.prompt {width = 50, height = 30, env = {COLORTERM = "truecolor"}}
    finally(function() t:close() end)
    local shown = t:enter("nl.plot.line({1, 4, 2}, {title = 'three'})", "three.*3")
    for line in shown:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 50) end
    assert.matches("\27%[38;2;31;119;180m", t:screen(true))
    assert.not_matches("x1b", t:screen())
    t:enter("{nl.plot.line {1}}", "{nl.plot.Figure}")
    t:enter("nl.show(nl.eye(4))", "1.*2.*3.*4")
    t:enter("1 + 1", "2")
  end)

  it("is plain where NO_COLOR is set", function()
    local t = Terminal.prompt {width = 80, height = 30, env = {NO_COLOR = "1"}}
    finally(function() t:close() end)
    t:enter("nl.plot.line({1, 4, 2}, {title = 'three'})", "three.*3")
    assert.not_matches("38;2", t:screen(true))
  end)

  it("is as wide as a terminal that can't move its cursor, too", function()
    local t = Terminal.prompt {width = 50, height = 30, env = {TERM = "dumb"}}
    finally(function() t:close() end)
    local shown = t:enter("nl.plot.line({1, 4, 2}, {title = 'three'})", "three.*3")
    assert.matches("\n  +1 +2 +3\n", shown)
  end)

  it("is a picture if that is wanted", function()
    local t = Terminal.prompt {width = 80, height = 30, env = {NNLUA_GRAPHICS = "kitty"}}
    finally(function() t:close() end)
    t:enter("print(#tostring(nl.plot.line {1, 2}) > 3000, tostring(nl.plot.line {1, 2}):find('_Ga=T') == 2)",
      "true%s+true")
  end)
end)
