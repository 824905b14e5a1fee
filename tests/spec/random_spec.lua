-- The random stream: PyTorch 2.15's numbers of one seed, number for number, in whatever order tensors lie in memory.
local nl = require "nnlua"
local env = {nl = nl, F = nl.nn.functional, init = nl.nn.init}

-- An expression and the elements of its result in row-major order after manual_seed(3), as PyTorch 2.15 gives them
-- (on a processor for which it takes no numbers of MKL). Positions are counted from 1.
local cases = {
  {"nl.rand(3)", {0.00426352, 0.105569, 0.285842}},
  {"nl.rand(3, {dtype = nl.float16})", {0.00426483, 0.105591, 0.285889}},
  {"nl.rand(3, {dtype = nl.bfloat16})", {0.00427246, 0.105469, 0.285156}},
  {"nl.randn(17, {dtype = nl.float16})",
    {-0.0766602, 0.261475, 0.931152, -0.514648, -1.65137, 1.0459, 0.521973, -0.16687, 0.0530396, 0.563965, 2.25586,
     1.86914, -1.19531, 0.998047, 0.459229, 2.43555, -0.146851}},
  {"nl.randn(3, {dtype = nl.bfloat16})", {0.804688, 0.174805, 0.0888672}},
  {"nl.empty(3, {dtype = nl.float16}):uniform_(0.3333, 1.7)", {0.339111, 0.477539, 0.724121}},
  {"nl.empty(18, {dtype = nl.bfloat16}):normal_(0.3333, 1.7)",
    {0.203125, 0.945312, 0.777344, 1.91406, -0.542969, -2.46875, 2.10938, 1.21875, 0.0498047, 0.423828, 1.28906,
     4.15625, 3.51562, -1.69531, 2.03125, 1.11719, 4.46875, 0.0834961}},
  {"nl.empty(4):exponential_(2.5)", {0.0138814, 0.135164, 0.592972, 0.0769134}},
  {"nl.empty(4, {dtype = nl.float16}):exponential_()", {0.0346985, 0.337891, 1.48242, 0.192261}},
  {"nl.randint(0, 268435456, {3})", {35325592, 117892739, 252666824}},
  {"nl.randint(0, 268435455, {3})", {218175346, 35325593, 88681732}},
  {"nl.randint(0, 4294967295, {3})", {2669420034, 2354058109, 1770528640}},
  {"nl.zeros(3, {dtype = nl.float16}):random_(0, 3000)", {144, 690, 737}},
  {"nl.zeros(3):random_(0, 100000000)", {65659168, 3761072, 41471976}},
  {"nl.zeros(2, 3):t():uniform_()", {0.00426352, 0.0269548, 0.105569, 0.471614, 0.285842, 0.0601163}},
  {"nl.zeros(3, 1, 4):transpose(1, 3):uniform_()",
    {0.00426352, 0.471614, 0.594421, 0.105569, 0.0601163, 0.887857, 0.285842, 0.771866, 0.451031, 0.0269548, 0.743699,
     0.799491}},
  {"nl.zeros(3, 1, 4):transpose(1, 3):normal_()",
    {0.803276, 0.0461824, -1.43518, 0.174833, -1.36826, 0.977432, 0.0889781, 0.337495, 0.52205, -0.613718, 1.01112,
     1.23792}},
  {"nl.zeros(3, 1, 4):transpose(1, 3):bernoulli_(0.5)", {1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0}},
  {"nl.zeros(3, 4):narrow(2, 1, 2):uniform_()", {0.00426352, 0.105569, 0.285842, 0.0269548, 0.471614, 0.0601163}},
  {"nl.rand_like(nl.zeros(2, 3):t())", {0.00426352, 0.0269548, 0.105569, 0.471614, 0.285842, 0.0601163}},
  {"nl.randint_like(nl.zeros(2, 3):t(), 5, 50)", {36, 17, 28, 15, 42, 35}},
  {"nl.bernoulli(nl.full({2, 3}, 0.5):t())", {1, 1, 1, 1, 1, 1}},
  {"nl.zeros(2, 3):t():bernoulli_(nl.full({3, 2}, 0.5))", {1, 1, 1, 1, 1, 1}},
  {"F.dropout(nl.ones(2, 4):t(), 0.5)", {2, 0, 2, 0, 0, 2, 2, 2}},
  {"F.dropout(nl.ones(2, 4):t(), 0.5, true, true)", {2, 0, 2, 0, 0, 2, 2, 2}},
  {"nl.dropout(nl.ones(3, 1, 4):transpose(1, 3), 0.5, true)", {2, 0, 2, 2, 0, 0, 0, 2, 2, 2, 2, 0}},
  {"F.dropout(nl.ones(2, 8):narrow(2, 1, 4):t(), 0.5)", {2, 0, 2, 0, 0, 2, 2, 2}},
  {"F.dropout(nl.ones(3, 1):expand(3, 4), 0.5)", {2, 2, 0, 2, 0, 0, 2, 2, 2, 0, 2, 0}},
  {"F.alpha_dropout(nl.ones(2, 4):t(), 0.5, true)",
    {1.6656, -0.779194, 1.6656, -0.779194, -0.779194, 1.6656, 1.6656, 1.6656}},
  {"F.feature_alpha_dropout(nl.ones(2, 3, 2):transpose(1, 2), 0.5, true)",
    {1.6656, 1.6656, 1.6656, 1.6656, -0.779194, -0.779194, 1.6656, 1.6656, -0.779194, -0.779194, -0.779194, -0.779194}},
  {"F.dropout2d(nl.ones(2, 2, 3, 2):permute({2, 3, 4, 1}), 0.5)",
    {2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0}},
  {"F.rrelu((nl.ones(2, 3):t() - 2), 0.1, 0.3, true)",
    {-0.106822, -0.157348, -0.254583, -0.134985, -0.251074, -0.22165}},
  {"nl.zeros(2, 3):t():cauchy_()", {-9.29661, -1.63269, -0.792214, 1.03432, 1.15544, 0.353826}},
  {"nl.zeros(2, 3):t():log_normal_()", {13.5522, 0.796573, 3.85614, 2.98132, 3.24773, 0.176133}},
  {"nl.zeros(2, 3, {dtype = nl.int64}):t():geometric_(0.2)", {16, 8, 6, 2, 2, 3}},
  {"nl.normal(nl.zeros(3, 2):t(), nl.ones(2, 1))", {0.803276, 0.174833, 0.0889781, -0.613718, 0.0461824, -1.36826}},
  {"nl.normal(nl.zeros(3, 6):t(), 2)",
    {-0.153289, 0.719763, -1.02892, -3.30333, 2.09205, 1.04437, -0.333618, 0.106067, 0.809214, 1.2226, 3.73852,
     -2.39047, 1.99584, 0.918361, 4.87279, -0.293616, 0.970228, 0.410469}},
  {"nl.normal(0, nl.ones(3, 2):t())", {0.803276, 0.174833, 0.0889781, -0.613718, 0.0461824, -1.36826}},
  {"nl.multinomial(nl.tensor({0.1, 0.2, 0.3, 0.4}), 1, true)", {1}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}), 1, true)", {1, 3}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}), 1)", {1, 3}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}), 5, true)", {1, 2, 4, 2, 4, 2, 1, 2, 2, 3}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}), 3)", {1, 4, 2, 3, 2, 1}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}):t(), 1, true)", {1, 2, 2, 1}},
  {"nl.multinomial(nl.tensor({{0.1, 0.2, 0.3, 0.4}, {4.0, 3.0, 2.0, 1.0}}):t(), 2)", {1, 2, 2, 1, 2, 1, 1, 2}},
  {"nl.multinomial(nl.tensor({0.1, 0.2, 0.3, 0.4}, {dtype = nl.float64}), 2)", {1, 4}},
  {"nl.multinomial(nl.tensor({0.1, 0.2, 0.3, 0.4}, {dtype = nl.float16}), 3)", {1, 4, 2}},
  {"nl.multinomial(nl.tensor({0.1, 0.2, 0.3, 0.4}, {dtype = nl.bfloat16}), 4, true)", {1, 2, 4, 2}},
  {"nl.randperm(5)", {2, 1, 4, 5, 3}},
  {"init.trunc_normal_(nl.empty(5))", {0.803276, 0.174833, 0.0889781, -0.613718, 0.0461824}},
  {"init.trunc_normal_(nl.empty(20))",
    {-0.0766443, 0.359882, -0.782017, 0.0715277, 1.04602, 0.522187, -0.166809, 0.0530334, 0.404607, 0.6113, 0.76039,
     -0.0336433, 0.997922, 0.45918, -0.121437, -0.146808, 0.485114, 0.205234, 0.338428, 1.35275}},
  {"init.trunc_normal_(nl.empty(5, {dtype = nl.float64}), 1.0, 2.0, -1.0, 2.5)",
    {2.0441, 1.34967, 1.17796, -0.227436, 1.09236}},
  {"init.trunc_normal_(nl.empty(5), 0.0, 1.0, -0.01, 0.01)",
    {-0.00991473, -0.00788861, -0.00428315, -0.0094609, -0.000567713}},
  {"init.trunc_normal_(nl.empty(5), 3.0, 1.0, -2.0, 2.0)", {1.41932, 1.19796, 1.79722, 1.76734, 1.28487}},
  {"init.trunc_normal_(nl.empty(2, 3):t())", {0.803276, -0.613718, 0.174833, 0.0461824, 0.0889781, -1.36826}},
  {"init.trunc_normal_(nl.empty(4, {dtype = nl.float16}))", {0.803223, 0.174805, 0.0889893, -0.61377}},
  {"init.kaiming_uniform_(nl.empty(3, 2):t())", {-1.40215, -0.605729, -0.0802867, -1.11562, -1.33797, -1.24418}},
  {"init.xavier_normal_(nl.empty(4, 5))",
    {-0.0361305, 0.16965, -0.368646, 0.0337185, 0.4931, 0.246161, -0.0786346, 0.0250002, 0.190734, 0.288169, 0.358451,
     -0.0158596, 0.470425, 0.21646, 1.14853, -0.069206, 0.228685, 0.0967484, 0.159537, 0.637694}},
  {"init.orthogonal_(nl.empty(2, 3))", {0.97145, 0.211437, 0.107607, 0.0756497, 0.153823, -0.985198}},
  {"init.orthogonal_(nl.empty(3, 2):t(), 2.0)", {1.9429, 0.422873, 0.215213, 0.151299, 0.307647, -1.9704}},
  {"init.sparse_(nl.empty(4, 2), 0.5)", {0.00803276, 0, 0, 0, 0.000461825, -0.0136826, 0, 0.0101112}},
}

local function elements(x)
  return x:double():reshape {-1}:tolist()
end

describe("the random stream", function()
  for _, case in ipairs(cases) do
    it("is PyTorch's: " .. case[1], function()
      nl.manual_seed(3)
      local got = elements(assert(load("return " .. case[1], "=case", "t", env))())
      assert.equal(#case[2], #got)
      for i, want in ipairs(case[2]) do
        assert.is_near(want, got[i], 6e-6 * (1 + math.abs(want)), "element " .. i)
      end
    end)
  end

  it("is that of PyTorch where one position is drawn again and again", function()
    nl.manual_seed(7)
    local drawn = {}
    for i = 1, 5 do drawn[i] = nl.multinomial(nl.tensor {0.1, 0.2, 0.3, 0.4}, 1, true):item() end
    assert.same({2, 3, 4, 2, 1}, drawn)
  end)
end)

describe("uniform_", function()
  it("refuses a range that the dtype doesn't hold", function()
    local function refused(dtype, from, to)
      local x = nl.full({3}, 7, {dtype = dtype})
      assert.error_matches(function() x:uniform_(from, to) end, "uniform_: from .* is more than the range of")
      assert.same({7, 7, 7}, x:tolist())
    end
    refused(nl.float32, -3.4e38, 3.4e38)
    refused(nl.float32, 0, 1e39)
    refused(nl.float64, -1.7e308, 1.7e308)
    refused(nl.float16, -6e4, 6e4)
    refused(nl.bfloat16, -3e38, 3.3e38)
    refused(nl.float32, -math.huge, 0)
    assert.error_matches(function() nl.zeros(3):uniform_(0, 0 / 0) end, "uniform_: from 0 lies above to")
    assert.is_true(nl.zeros(3):uniform_(-1e38, 1e38):isfinite():all():item())
  end)
end)

describe("normal numbers of tensors", function()
  it("need deviations that aren't negative", function()
    local message = "normal: std must not be negative"
    assert.error_matches(function() nl.normal(nl.zeros(2), nl.tensor {1.0, -1.0}) end, message)
    assert.error_matches(function() nl.normal(0, nl.tensor {1.0, 0 / 0}) end, message)
    assert.error_matches(function() nl.normal(nl.zeros(2), -1) end, message)
    assert.error_matches(function() nl.normal(0, -1, {2}) end, message)
  end)

  it("have gradients of zero", function()
    local mean, std = nl.zeros(2, {requires_grad = true}), nl.ones(3, 1, {requires_grad = true})
    nl.normal(mean, std):sum():backward()
    assert.same({{0, 0}, {{0}, {0}, {0}}}, {mean.grad:tolist(), std.grad:tolist()})
  end)

  it("are of the generator that is given", function()
    local function draw() return nl.normal(nl.zeros(3), 1, {generator = nl.Generator():manual_seed(5)}) end
    assert.is_true(nl.equal(draw(), draw()))
  end)
end)

describe("random_", function()
  it("rounds no integer beyond its bounds", function()
    assert.is_true(nl.zeros(4000, {dtype = nl.float16}):random_(0, 3000):lt(3000):all():item())
    assert.is_true(nl.zeros(4000):random_((1 << 24) - 1, (1 << 24) + 4):lt((1 << 24) + 4):all():item())
    assert.error_matches(function() nl.zeros(3, {dtype = nl.float16}):random_(0, 100000) end,
      "random_: the range from 0 up to 100000 doesn't fit float16")
  end)
end)

describe("trunc_normal_", function()
  it("needs a positive std and bounds in order", function()
    assert.error_matches(function() nl.nn.init.trunc_normal_(nl.empty(2), 0, 0) end, "std must be positive")
    assert.error_matches(function() nl.nn.init.trunc_normal_(nl.empty(2), 0, 1, 2, 1) end, "a not above b")
    local x = nl.empty(2, {device = "meta"})
    assert.equal(x, nl.nn.init.trunc_normal_(x))
  end)
end)

describe("the default generator", function()
  it("is the one that functions draw from, and can be copied", function()
    nl.manual_seed(7)
    local copy, x = nl.default_generator:clone_state(), nl.rand(3)
    assert.equal(7, nl.default_generator:initial_seed())
    assert.is_true(nl.equal(x, nl.rand(3, {generator = copy})))
    nl.default_generator:manual_seed(7)
    assert.is_true(nl.equal(x, nl.rand(3, {generator = nl.default_generator})))
    assert.is_false(nl.equal(x, nl.rand(3)))
    assert.equal("cpu", copy.device.type)
    assert.is_nil(copy.nothing)
  end)
end)

describe("random.fork_rng", function()
  it("puts the default generator back, after errors too", function()
    nl.manual_seed(1)
    local x = nl.random.fork_rng(function(n) return nl.rand(n) end, 3)
    pcall(nl.random.fork_rng, function() error(nl.rand(2)) end)
    do
      local _ <close> = nl.random.fork_rng()
      nl.rand(5)
    end
    assert.is_true(nl.equal(x, nl.rand(3)))
    nl.manual_seed(1)
    nl.random.fork_rng({enabled = false}, function() return nl.rand(3) end)
    assert.is_false(nl.equal(x, nl.rand(3)))
    assert.has_error(function() nl.random.fork_rng(3) end)
  end)
end)
