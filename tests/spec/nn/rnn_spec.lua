-- Recurrent layers: over batches they are in the oracle's cases; here packed sequences, which must give what each
-- sequence gives alone, and the helpers of nn.utils.rnn.
local nl = require "nnlua"
local process = require "support.process"
local nn = nl.nn
local utils = nn.utils.rnn

local lengths = {2, 5, 1, 4}

local function sequences()
  local list = {}
  for i, n in ipairs(lengths) do list[i] = nl.randn(n, 3, {dtype = nl.float64}) end
  return list
end

local function layers()
  local options = {dtype = nl.float64, bidirectional = true, num_layers = 2}
  return {LSTM = nn.LSTM(3, 4, options), GRU = nn.GRU(3, 4, options), RNN = nn.RNN(3, 4, options),
          ["LSTM with a projection"] = nn.LSTM(3, 4, {dtype = nl.float64, proj_size = 2, bidirectional = true})}
end

local function assert_near(expected, actual)
  assert.is_true(nl.allclose(expected, actual, {rtol = 1e-10, atol = 1e-12}))
end

local function states_of(state, i)
  local list = {}
  for k, t in ipairs(nl.is_tensor(state) and {state} or state) do list[k] = t:select(2, i) end
  return list
end

describe("a packed batch of sequences", function()
  before_each(function() nl.manual_seed(3) end)

  for name in pairs(layers()) do
    it("gives what each gives alone: " .. name, function()
      local layer, list = layers()[name], sequences()
      local output, state = layer(utils.pack_sequence(list, false))
      local padded, long = utils.pad_packed_sequence(output, true)
      assert.same(lengths, long:tolist())
      for i, x in ipairs(list) do
        local alone, after = layer(x)
        assert_near(alone, padded[i]:narrow(1, 1, lengths[i]))
        for k, t in ipairs(nl.is_tensor(after) and {after} or after) do assert_near(t, states_of(state, i)[k]) end
      end
    end)

    it("has the gradients of each alone: " .. name, function()
      local layer, list = layers()[name], sequences()
      local function gradients(run)
        layer:zero_grad()
        run():pow(2):sum():backward()
        local all = {}
        for p in layer:parameters() do table.insert(all, p.grad:reshape(-1)) end
        return nl.cat(all)
      end
      local together = gradients(function() return (layer(utils.pack_sequence(list, false))).data end)
      local apart = gradients(function()
        local outputs = {}
        for i, x in ipairs(list) do outputs[i] = (layer(x)) end
        return nl.cat(outputs)
      end)
      assert_near(apart, together)
    end)
  end

  it("starts from the states given in the sequences' own order", function()
    local layer, list = nn.GRU(3, 4, {dtype = nl.float64}), sequences()
    local h = nl.randn(1, 4, 4, {dtype = nl.float64})
    local _, after = layer(utils.pack_sequence(list, {enforce_sorted = false}), h)
    for i, x in ipairs(list) do
      local _, alone = layer(x, h[{{}, i}])
      assert_near(alone, after[{{}, i}])
    end
  end)

  it("must be sorted unless it is to be sorted", function()
    assert.error_matches(function() utils.pack_sequence(sequences()) end, "must not grow")
  end)
end)

describe("recurrent layers", function()
  it("don't depend on the number of threads", function()
    local layer, x = nn.LSTM(8, 16), nl.randn(6, 60, 8)
    local threads = nl.get_num_threads()
    nl.set_num_threads(1)
    local one = layer(x)
    nl.set_num_threads(3)
    local three = layer(x)
    nl.set_num_threads(threads)
    assert.is_true(nl.equal(one, three))
  end)

  it("know the shapes of gradients on the meta device", function()
    for _, class in ipairs {nn.LSTM, nn.GRU, nn.RNN} do
      local layer = class(3, 4, {device = "meta"})
      layer(nl.zeros({5, 2, 3}, {device = "meta"})):sum():backward()
      assert.equal(layer.weight_hh_l0.shape, layer.weight_hh_l0.grad.shape)
    end
  end)

  it("have dropout between layers only while training", function()
    local layer, x = nn.LSTM(3, 4, 2, {dropout = 1.0}), nl.randn(2, 2, 3)
    assert.is_false(nl.equal((layer(x)), (layer:eval()(x))))
  end)

  it("say what is wrong", function()
    local layer = nn.LSTM(3, 4)
    assert.error_matches(function() layer(nl.zeros(2, 2, 5)) end, "5 features, and 3 are wanted")
    assert.error_matches(function() layer(nl.zeros(2, 2, 3), nl.zeros(1, 2, 4)) end, "a table {h, c}")
    assert.error_matches(function() layer(nl.zeros(2, 2, 3), {nl.zeros(1, 3, 4), nl.zeros(1, 3, 4)}) end,
      "a batch of 2 are wanted")
    assert.error_matches(function() nn.GRU(3, 4, {proj_size = 2}) end, "only an LSTM takes proj_size")
    assert.error_matches(function() nn.RNN(3, 4, 1, "gelu") end, "'tanh' or 'relu'")
    assert.error_matches(function() nn.LSTMCell(3, 4)(nl.zeros(2, 2)) end, "must be %[N, 3%]")
    assert.error_matches(function() nn.LSTMCell(3, 4)(nl.zeros(2, 3), {nl.zeros(2, 4), nl.zeros(5, 2, 4)}) end,
      "the cell state")
    assert.error_matches(function() nn.GRU(3, 4)(nl.zeros({1 << 61, 0, 3})) end, "too many")
    assert.error_matches(function() nn.GRU(3, 4)(utils.pack_sequence({nl.zeros(2, 3)}), 7) end,
      "a state must be a tensor")
    assert.error_matches(function() utils.pack_padded_sequence(nl.zeros(4), {4}) end, "at least 2 dimensions")
  end)
end)

describe("nn.utils.rnn", function()
  it("pads and takes padding off", function()
    local a, b = nl.tensor {1, 2, 3}, nl.tensor {4}
    assert.same({{1, 2, 3}, {4, 0, 0}}, utils.pad_sequence({a, b}, true):tolist())
    assert.same({{1, 9}, {2, 9}, {3, 4}}, utils.pad_sequence({a, b}, false, 9, "left"):tolist())
    local back = utils.unpad_sequence(utils.pad_sequence {a, b}, {3, 1})
    assert.same({{1, 2, 3}, {4}}, {back[1]:tolist(), back[2]:tolist()})
  end)

  it("packs step by step, the longest first", function()
    local packed = utils.pack_sequence({nl.tensor {1, 2}, nl.tensor {3, 4, 5}}, false)
    assert.same({3, 1, 4, 2, 5}, packed.data:tolist())
    assert.same({2, 2, 1}, packed.batch_sizes:tolist())
    assert.same({{2, 1}, {2, 1}}, {packed.sorted_indices:tolist(), packed.unsorted_indices:tolist()})
    local list = utils.unpack_sequence(packed)
    assert.same({{1, 2}, {3, 4, 5}}, {list[1]:tolist(), list[2]:tolist()})
    local padded = utils.pad_packed_sequence(packed, {total_length = 4, padding_value = 7})
    assert.same({{1, 3}, {2, 4}, {7, 5}, {7, 7}}, padded:tolist())
    assert.error_matches(function() utils.pad_packed_sequence(packed, {total_length = 2}) end, "longest sequence has 3")
  end)
end)

describe("a long layer", function()
  -- each takes some seconds to the end; the signal comes from a child, half a second after the call begins
  local function left(make)
    local script = [[
      local nl = require "nnlua"
      local _ <close> = nl.no_grad()
      local f = (function() %s end)()
      os.execute "(sleep 0.5; kill -INT $PPID) >/dev/null 2>&1 &"
      print(pcall(f))
    ]]
    local result = process.run {process.nnlua, "-e", script:format(make)}
    assert.matches("^false\t[^\n]*interrupted!", result.stdout .. result.stderr)
  end

  it("is left by Ctrl-C between its steps", function()
    left [[
      local net, x = nl.nn.LSTM(8, 1024), nl.randn(12000, 1, 8)
      return function() return net(x) end
    ]]
    left [[
      local b, n, steps = nl.program.builder(), 1024, 12000
      local r = nl.ones(n, 4 * n, {dtype = nl.int8})
      b:output("y", (b:call("onnx_byte_lstm", {b:input "sums", nl.zeros(1, n), nl.zeros(1, n), r,
        nl.zeros(4 * n, {dtype = nl.int32}), nl.ones(4 * n), nl.none, steps = steps})))
      local program, sums = b:build(), nl.zeros(steps, 4 * n)
      return function() return program(sums) end
    ]]
  end)
end)
