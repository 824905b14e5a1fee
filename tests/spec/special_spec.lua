-- nl.special: values to 17 digits by mpmath (arbitrary precision), and what stands at the ends.
local nl = require "nnlua"
local F = nl.special

local function tensor(list) return nl.tensor(list, {dtype = nl.float64}) end

--- The largest distance from the values, relative to what is larger than `least`.
local function distance(y, values, least)
  local most = 0
  for i, value in ipairs(values) do
    most = math.max(most, math.abs(y[i]:item() - value) / math.max(math.abs(value), least))
  end
  return most
end

-- By name: the arguments, then the values.
local one = {
  bessel_j0 = {{0.0, 0.5, 3.0, 7.5, 60.0, -3.0},
    {1.0, 0.9384698072408129, -0.26005195490193344, 0.2663396578803784, -0.09147180408906187, -0.26005195490193344}},
  bessel_j1 = {{0.0, 0.5, 3.0, 7.5, 60.0, -3.0},
    {0.0, 0.24226845767487389, 0.33905895852593646, 0.13524842757970551, 0.046598383758166318, -0.33905895852593646}},
  bessel_y0 = {{0.01, 0.5, 3.0, 7.5, 60.0},
    {-3.0054556370836459, -0.44451873350670656, 0.37685001001279038, 0.11731328614820863, 0.047358952209449399}},
  bessel_y1 = {{0.01, 0.5, 3.0, 7.5, 60.0},
    {-63.678596282060655, -1.4714723926702431, 0.32467442479179998, -0.25912851048611625, 0.091869609369866895}},
  i1 = {{0.0, 1e-09, 0.5, -7.5, 9.0, 705.0},
    {0.0, 5.0000000000000003e-10, 0.25789430539089632, -249.58436542268814, 1030.9147225169564,
    2.260445691777057e+304}},
  i0e = {{0.0, 0.5, -7.5, 9.0, 1000.0},
    {1.0, 0.64503527044915007, 0.1483158300773955, 0.13495952458172301, 0.012617240455891257}},
  i1e = {{0.0, 0.5, -7.5, 9.0, 1000.0},
    {0.0, 0.1564208031848717, -0.1380412115485542, 0.12722498393589121, 0.012610930256928629}},
  modified_bessel_i0 = {{0.0, 0.5, -7.5, 9.0, 705.0},
    {1.0, 1.0634833707413235, 268.16131151518936, 1093.5883545113747, 2.2620505526554725e+304}},
  modified_bessel_i1 = {{0.0, 0.5, -7.5, 9.0},
    {0.0, 0.25789430539089632, -249.58436542268814, 1030.9147225169564}},
  modified_bessel_k0 = {{1e-09, 0.5, 2.0, 2.5, 60.0},
    {20.839197352604824, 0.92441907122766586, 0.11389387274953344, 0.062347553200366186, 1.4138978405591078e-27}},
  modified_bessel_k1 = {{1e-09, 0.5, 2.0, 2.5, 60.0},
    {999999999.99999993, 1.6564411200033009, 0.13986588181652243, 0.073890816347747064, 1.4256320265171043e-27}},
  scaled_modified_bessel_k0 = {{1e-09, 0.5, 2.0, 2.5, 1000.0},
    {20.839197373444021, 1.5241093857739095, 0.84156821507077142, 0.75954869032809958, 0.039628321600754217}},
  scaled_modified_bessel_k1 = {{1e-09, 0.5, 2.0, 2.5, 1000.0},
    {1000000000.9999999, 2.7310097082117857, 1.0334768470686886, 0.90017442390787809, 0.03964813081296021}},
  spherical_bessel_j0 = {{0.0, 0.25, -3.0, 60.0},
    {1.0, 0.98961583701809172, 0.047040002686622407, -0.0050801770183702784}},
  airy_ai = {{-20.0, -6.5, -4.0, -1.0, 0.0, 1.5, 3.0, 30.0},
    {-0.17640612707798469, -0.2380203019971158, -0.070265532949289515, 0.53556088329235212, 0.35502805388781724,
    0.07174949700810541, 0.0065911393574607191, 3.2082175915504956e-49}},
  erfcx = {{-5.0, 0.0, 0.5, 9.5, 10.5, 100000.0},
    {144009798674.66104, 1.0, 0.61569034419292587, 0.059064678352563891, 0.053491899746564117,
    5.6418958351954681e-6}},
  ndtr = {{-30.0, -2.0, 0.0, 1.5},
    {4.9067139271481871e-198, 0.022750131948179207, 0.5, 0.93319279873114193}},
  log_ndtr = {{-30.0, -2.0, -0.5, 0.0, 6.0},
    {-454.3212439563432, -3.7831843336820319, -1.1759117615936186, -0.69314718055994531, -9.8658764552437573e-10}},
  entr = {{0.0, 0.25, 1.0, 3.0},
    {0.0, 0.34657359027997265, 0.0, -3.2958368660043291}},
  erfinv = {{-0.999, 0.0, 1e-09, 0.5},
    {-2.3267537655135245, 0.0, 8.8622692545275807e-10, 0.47693627620446987}},
  ndtri = {{1e-300, 1e-06, 0.01, 0.25, 0.5, 0.9},
    {-37.047096299361199, -4.753424308822899, -2.3263478740408411, -0.67448975019608174, 0.0, 1.2815515655446006}},
}

local two = {
  zeta = {{2.0, 1.5, 30.0, 3.0, 2.0, 3.0}, {1.0, 0.5, 1.5, 25.5, -1.5, -10.25},
    {1.6449340668482264, 4.7765379475548332, 5.2150962038157318e-6, 0.00079968029813915364, 9.3792466449891238,
    -62.008236010743552}},
  xlog1py = {{2.0, 0.5}, {1e-10, 3.0},
    {1.9999999999000001e-10, 0.69314718055994531}},
  chebyshev_polynomial_t = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {-61.5, -1.0, -0.7303466796875, 1.0, 0.25, -0.5, 1.0, 536870912.0}},
  chebyshev_polynomial_u = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {-144.0, -4.0, 0.044189453125, 1.0, 0.5, 0.0, 16.0, 1431655765.3333333}},
  chebyshev_polynomial_v = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {-199.0, -7.0, 1.076904296875, 1.0, -0.5, -1.0, 1.0, 715827882.66666667}},
  chebyshev_polynomial_w = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {-89.0, -1.0, -0.988525390625, 1.0, 1.5, 1.0, 31.0, 2147483648.0}},
  hermite_polynomial_h = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {117.0, 4.0, -733623.83569335938, 1.0, 0.5, -759627879679.0, 104891648.0, 4.26425119529135e+20}},
  hermite_polynomial_he = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {3.65625, 2.0, -10564.709719598293, 1.0, 0.25, -445178476.58069515, 469456.0, -7544494160999644.8}},
  laguerre_polynomial_l = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {26.49296875, 5.6666666666666667, 52.373997267517896, 1.0, 0.75, 0.31201748708001541, 0.33786990065404417,
    0.21752760551103889}},
  legendre_polynomial_p = {{-1.5, -1.0, -0.75, 0.0, 0.25, 0.5, 1.0, 1.25}, {5.0, 3.0, 12.0, 0.0, 1.0, 20.0, 15.0,
    30.0},
    {-33.08203125, -1.0, -0.10374477185541764, 1.0, 0.25, -0.048358381067373557, 1.0, 127545696.16277933}},
}

-- Near the zeros of what goes up and down, its absolute error is what counts.
local waves = {bessel_j0 = true, bessel_j1 = true, bessel_y0 = true, bessel_y1 = true, airy_ai = true}

describe("nl.special", function()
  for name, case in pairs(one) do
    it("has the values of " .. name, function()
      local x, values = tensor(case[1]), case[2]
      assert.is_true(distance(F[name](x), values, waves[name] and 1e-2 or 0) < 2e-13)
      local rounded = F[name](x:float())
      assert.equal(nl.float32, rounded.dtype)
      assert.is_true(nl.allclose(rounded, F[name](x:float():double()):float(), {rtol = 1e-6, atol = 0}))
    end)
  end

  for name, case in pairs(two) do
    it("has the values of " .. name, function()
      assert.is_true(distance(F[name](tensor(case[1]), tensor(case[2])), case[3], 1) < 2e-13)
    end)
  end

  it("has the names that SciPy and PyTorch give functions of nl", function()
    assert.equal(nl.sigmoid, F.expit)
    assert.equal(nl.digamma, F.psi)
    assert.equal(nl.lgamma, F.gammaln)
    assert.equal(nl.mvlgamma, F.multigammaln)
    assert.equal(F.i1, F.modified_bessel_i1)
    for _, name in ipairs {
      "digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p", "log_softmax", "logit", "logsumexp",
      "polygamma", "round", "sinc", "softmax", "xlogy",
    } do
      assert.equal(nl[name], F[name])
    end
  end)

  it("is defined at the ends", function()
    local inf, nan = math.huge, 0 / 0
    local function at(name, ...) return tostring(F[name](tensor {...})) end
    local function shown(...) return tostring(tensor {...}) end
    assert.equal(shown(inf, inf), at("i0", inf, -inf))
    assert.equal(shown(inf, -inf), at("i1", inf, -inf))
    assert.equal(shown(0, 0), at("i0e", inf, -inf))
    assert.equal(shown(inf, nan, 0), at("modified_bessel_k0", 0.0, -1.0, inf))
    assert.equal(shown(inf, nan, 0), at("scaled_modified_bessel_k1", 0.0, -1.0, inf))
    assert.equal(shown(0, 0, 0), at("bessel_j0", inf, -inf, inf))
    assert.equal(shown(-inf, nan), at("bessel_y0", 0.0, -1.0))
    assert.equal(shown(0, 0, nan), at("airy_ai", inf, -inf, nan))
    assert.equal(shown(0, inf, inf), at("erfcx", inf, -inf, -1e200))
    assert.equal(shown(0, 1), at("ndtr", -inf, inf))
    assert.equal(shown(-inf, -0.0), at("log_ndtr", -inf, inf))
    assert.equal(shown(-inf, inf, nan, nan), at("ndtri", 0.0, 1.0, -0.1, 1.1))
    assert.equal(shown(-inf, 0, nan), at("entr", -1.0, 0.0, nan))
    assert.equal(shown(inf, nan, inf, nan, 1),
      tostring(F.zeta(tensor {1, 0.5, 2, 2.5, inf}, tensor {2, 2, -1, -1.5, 1})))
    assert.equal(shown(inf), tostring(F.zeta(tensor {2}, tensor {0})))
  end)

  it("takes far arguments in no time", function()
    assert.is_true(F.zeta(tensor {2}, tensor {-1e15 - 0.5}):isfinite():item())
    assert.is_true(F.chebyshev_polynomial_u(tensor {0.5}, tensor {1e15}):isfinite():item())
    assert.is_true(F.legendre_polynomial_p(tensor {0.5}, tensor {1e15}):isnan():item())
    assert.is_true(F.hermite_polynomial_h(tensor {0.5}, tensor {1e15}):isnan():item())
    assert.equal(0, F.laguerre_polynomial_l(tensor {0.5}, tensor {-1}):item())
  end)

  it("has one derivative of zeta", function()
    local s, q = tensor {3.0}, tensor({1.5}):requires_grad_()
    F.zeta(s, q):backward()
    assert.is_true(math.abs(q.grad:item() + 3 * F.zeta(4, q:detach()):item()) < 1e-14)
    local y = F.zeta(s:requires_grad_(), q)
    local ok, message = pcall(y.backward, y)
    assert.is_false(ok)
    assert.matches("zeta: it has a derivative with respect to other only", message)
  end)

  it("has functions without a gradient", function()
    local x = tensor({0.5}):requires_grad_()
    for _, name in ipairs {"airy_ai", "spherical_bessel_j0", "scaled_modified_bessel_k0"} do
      assert.is_false(F[name](x).requires_grad)
    end
    assert.is_false(F.hermite_polynomial_h(x, 2).requires_grad)
  end)
end)
