-- Damaged files of ONNX: every truncation, bytes flipped at random, lengths and depths that lie. None may do more than
-- raise an error, or take memory beyond what the file's own bytes explain.
local nl = require "nnlua"

local process = require "support.process"

-- ------------------------------------------------- messages written by hand

local function varint(n)
  local bytes = {}
  repeat
    local low = n & 127
    n = n >> 7
    table.insert(bytes, string.char(n ~= 0 and low | 128 or low))
  until n == 0
  return table.concat(bytes)
end

local function field(number, content)
  if math.type(content) == "integer" then return varint(number << 3) .. varint(content) end
  return varint(number << 3 | 2) .. varint(#content) .. content
end

local function info(name, ...)
  local dims = {}
  for _, size in ipairs {...} do table.insert(dims, field(1, field(1, size))) end
  return field(1, name) .. field(2, field(1, field(1, 1) .. field(2, table.concat(dims))))
end

local function node(op, inputs, outputs, attributes)
  local parts = {}
  for _, name in ipairs(inputs) do table.insert(parts, field(1, name)) end
  for _, name in ipairs(outputs) do table.insert(parts, field(2, name)) end
  table.insert(parts, field(4, op))
  for _, attribute in ipairs(attributes or {}) do table.insert(parts, field(5, attribute)) end
  return table.concat(parts)
end

local function model(graph, functions)
  return field(1, 8) .. field(7, graph) .. field(8, field(2, 17)) .. (functions or "")
end

local function weight(name, dims, content)
  local parts = {}
  for _, size in ipairs(dims) do table.insert(parts, field(1, size)) end
  return table.concat(parts) .. field(2, 1) .. field(8, name) .. content
end

local function load_text(text)
  return nl.onnx.load(nl.io.BytesIO(text))
end

--- relu(x w + b) with raw and typed weights, then a branch.
local function small_model()
  local raw = field(9, string.pack("<ffffff", 1, 2, 3, 4, 5, 6))
  local typed = field(4, string.pack("<fff", 1, -1, 0.5))
  local function body(op)
    return field(1, node(op, {"h"}, {"r"})) .. field(2, "body") .. field(12, info "r")
  end
  local branch = {
    field(1, "then_branch") .. field(6, body "Relu") .. field(20, 5), field(1, "else_branch") .. field(6, body "Neg"),
  }
  return model(field(1, node("MatMul", {"x", "w"}, {"m"})) .. field(1, node("Add", {"m", "b"}, {"h"}))
    .. field(1, node("If", {"c"}, {"y"}, branch)) .. field(2, "g") .. field(5, weight("w", {2, 3}, raw))
    .. field(5, weight("b", {3}, typed)) .. field(11, info("x", 1, 2))
    .. field(11, field(1, "c") .. field(2, field(1, field(1, 9) .. field(2, "")))) .. field(12, info("y", 1, 3)))
end

describe("a file of ONNX", function()
  local whole = small_model()

  it("is read when it is whole", function()
    local program = load_text(whole)
    local x = nl.tensor {{1.0, -2.0}}
    assert.same({{0, 0, 0}}, program(x, nl.tensor(true)):tolist())
    assert.same({{6, 9, 8.5}}, program(x, nl.tensor(false)):tolist())
    assert.same({"x", "c"}, {program.inputs[1].name, program.inputs[2].name})
  end)

  it("that is cut off anywhere raises an error or is read", function()
    for n = 0, #whole - 1 do
      local well, problem = pcall(load_text, whole:sub(1, n))
      if not well then assert.matches("onnx.load", tostring(problem)) end
    end
  end)

  it("with damaged bytes raises an error or is read, and what is read runs or raises one", function()
    math.randomseed(1)
    local x, c = nl.tensor {{1.0, -2.0}}, nl.tensor(true)
    for _ = 1, process.is_sanitized() and 3000 or 1000 do
      local bytes = {whole:byte(1, -1)}
      for _ = 1, math.random(3) do bytes[math.random(#bytes)] = math.random(0, 255) end
      local well, program = pcall(load_text, string.char(table.unpack(bytes)))
      if well then pcall(program, x, c) end
    end
  end)

  it("whose tensor claims more than is there takes no memory for it", function()
    local graph = field(5, weight("w", {1 << 20, 1 << 20}, field(9, "1234"))) .. field(12, info "w")
    assert.error_matches(function() load_text(model(graph)) end, "4 bytes of elements, .* wants 4398046511104")
    graph = field(5, weight("w", {1 << 40, 1 << 40}, field(9, "1234"))) .. field(12, info "w")
    assert.error_matches(function() load_text(model(graph)) end, "negative or too large")
  end)

  it("of many empty messages takes at most 64 bytes a byte", function()
    local text = model(field(1, ""):rep(100000))
    collectgarbage()
    local before = collectgarbage "count"
    collectgarbage "stop"
    assert.error_matches(function() load_text(text) end, "the operator  is not there")
    local taken = (collectgarbage "count" - before) * 1024
    collectgarbage "restart"
    assert.is_true(taken < 64 * #text)
  end)

  it("whose graphs lie too deep in each other is refused", function()
    local graph = field(1, node("Relu", {"x"}, {"y"})) .. field(12, info "y")
    for _ = 1, 2000 do
      graph = field(1, node("If", {"x"}, {"y"}, {
        field(1, "then_branch") .. field(6, graph), field(1, "else_branch") .. field(6, field(12, info "x")),
      })) .. field(12, info "y")
    end
    assert.error_matches(function() load_text(model(field(11, info "x") .. graph)) end, "more than 64 deep")
  end)

  it("whose functions call each other without end, or much too often, is refused", function()
    local function func(name, called, times)
      local body = field(7, called):rep(times)
      return field(25, field(1, name) .. field(4, "a") .. field(5, "b") .. body .. field(10, "d"))
    end
    local function call(name)
      return node(name, {"a"}, {"b"}) .. field(7, "d")
    end
    local graph = field(11, info "a") .. field(1, call "f1") .. field(12, info "b")
    assert.error_matches(function() load_text(model(graph, func("f1", call "f1", 1))) end, "more than 64 deep")
    local chain = {func("f20", node("Relu", {"a"}, {"b"}), 1)}
    for i = 1, 19 do table.insert(chain, func("f" .. i, call("f" .. i + 1), 8)) end
    local text = model(graph, table.concat(chain))
    assert.error_matches(function() load_text(text) end, "more nodes than the file has bytes")
  end)

  it("refuses external data outside of its folder", function()
    local function external(location)
      local entry = field(13, field(1, "location") .. field(2, location))
      return model(field(5, weight("w", {1}, entry .. field(14, 1))) .. field(12, info "w"))
    end
    local path = os.tmpname()
    for _, location in ipairs {"/etc/passwd", "../etc/passwd", "a/../../b", ""} do
      local file <close> = assert(io.open(path, "wb"))
      file:write(external(location))
      file:close()
      assert.error_matches(function() nl.onnx.load(path) end, "outside of the model's folder")
    end
    assert.error_matches(function() load_text(external "a") end, "a buffer has none beside it")
    os.remove(path)
  end)

  it("with an axis out of range says so, from 0, with the node", function()
    for _, axis in ipairs {2, -3, math.maxinteger, math.mininteger} do
      local softmax = node("Softmax", {"x"}, {"y"}, {field(1, "axis") .. field(3, axis) .. field(20, 2)})
      local text = model(field(11, info("x", 1, 2)) .. field(1, softmax .. field(3, "n1")) .. field(12, info "y"))
      local program = load_text(text)
      assert.error_matches(function() program(nl.ones(1, 2)) end,
        "node n1 %(Softmax%): axis " .. ("%d"):format(axis):gsub("%-", "%%-") .. " is out of range for 2 axes")
    end
  end)

  it("names an operator that isn't there with its node", function()
    local wonder = node("Wonder", {"x"}, {"y"}) .. field(3, "n7")
    local text = model(field(11, info "x") .. field(1, wonder) .. field(12, info "y"))
    assert.error_matches(function() load_text(text) end, "node 'n7' %(Wonder%): the operator Wonder is not there")
  end)
end)
