-- Gradients of gradients. The numbers are PyTorch's.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near = tensors.leaf, tensors.assert_near
local grad = nl.autograd.grad

-- The first three derivatives, each element its own function.
local function derivatives(f)
  local x = leaf({0.5, -1, 2}, nl.float64)
  local y, list = f(x):sum(), {}
  for k = 1, 3 do
    list[k] = grad(y, x, {create_graph = true})
    y = list[k]:sum()
  end
  return table.unpack(list)
end

describe("a power", function()
  it("keeps its exponent to the last digit under create_graph", function()
    for _, e in ipairs {1 / 3, 0.7, -1.3} do
      local x = leaf({0.5, 2}, nl.float64)
      local slope = grad((x ^ e):sum(), x, {create_graph = true})
      near((e * x ^ (e - 1)):tolist(), slope, 1e-15)
      near((e * (e - 1) * x ^ (e - 2)):tolist(), grad(slope:sum(), x), 1e-14)
    end
  end)
end)

describe("three derivatives", function()
  local cases = {
    {"x^4", function(x) return x ^ 4 end,
      {0.5, -4, 32}, {3, 12, 48}, {12, -24, 48}},
    {"x * x * x * x", function(x) return x * x * x * x end,
      {0.5, -4, 32}, {3, 12, 48}, {12, -24, 48}},
    {"sigmoid", nl.sigmoid,
      {0.2350037122015945, 0.19661193324148185, 0.10499358540350662},
      {-0.05755679485232075, 0.09085774767294841, -0.07996250105615312},
      {-0.09635675628958461, -0.03532558051623564, 0.03885166754820599}},
    {"tanh", nl.tanh,
      {0.7864477329659274, 0.41997434161402614, 0.07065082485316443},
      {-0.7268619813835873, 0.6397000084492246, -0.13621868742711296},
      {-0.5652092882597705, 0.6216266807712962, 0.25265406509806265}},
    {"(x * x + 1)^2.5", function(x) return (x * x + 1) ^ 2.5 end,
      {3.4938562148434213, -14.142135623730951, 111.80339887498948},
      {11.180339887498949, 35.35533905932738, 190.06577808748216},
      {26.832815729997478, -74.24621202458749, 254.91174943497606}},
  }
  for _, case in ipairs(cases) do
    it("of " .. case[1], function()
      local first, second, third = derivatives(case[2])
      near(case[3], first, 1e-12)
      near(case[4], second, 1e-12)
      near(case[5], third, 1e-12)
    end)
  end

  it("through a matrix product: the Hessian of a quadratic form", function()
    local a = nl.tensor({{2.0, 1.0}, {0.0, 3.0}}, {dtype = nl.float64})
    local x = leaf({1, 2}, nl.float64)
    local g = grad((x * a:matmul(x)):sum(), x, {create_graph = true})
    near({6, 13}, g)
    near({4, 1}, (grad(g[1], x, {retain_graph = true})))
    near({1, 6}, (grad(g[2], x)))
  end)

  it("of a gradient penalty reach the weights", function()
    local w = leaf({1.5, -2}, nl.float64)
    local x = leaf({1, 2}, nl.float64)
    local y = (w * x * x):sum()
    local dx = grad(y, x, {create_graph = true});
    (dx * dx):sum():backward()
    near({12, -64}, w.grad) -- the derivative of 4 w² x²
    near({18, 64}, x.grad)
  end)

  it("of a saved result that has been changed since raise", function()
    local x = leaf {1, 2}
    local y = x:exp()
    local g = grad(y:sum(), x, {create_graph = true})
    y:mul_(2)
    assert.matches("changed in place", tensors.failure(grad, g:sum(), x))
  end)
end)
