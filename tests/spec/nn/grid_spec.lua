-- Images and volumes sampled at the places of a grid. The numbers are those of PyTorch 2.15.
local nl = require "nnlua"
local tensors = require "support.tensors"

local near = tensors.assert_near
local F = nl.F

describe("grid_sample", function()
  it("goes between the elements of volumes by cubics", function()
    local expected = { -- values, gradients of the places, of the input their sum and their squares' sum
      zeros = {{76.66730499267578, 36.97804260253906}, {346.2369079589844, 66.80459594726562, 76.5849609375,
        39.826637268066406, -80.18467712402344, 140.72216796875}, 1.1838328838348389, 0.7680870890617371},
      border = {{125.5468978881836, 71.8859634399414}, {-7.910152435302734, 95.73045349121094, 165.12890625,
        51.278507232666016, -2.044848918914795, 95.53748321533203}, 2.0000007152557373, 1.9836608171463013},
      reflection = {{123.56932830810547, 65.53458404541016}, {1.33514404296875e-05, 94.83399963378906, 162.80859375,
        51.01179122924805, 18.097444534301758, 181.71286010742188}, 2.0000007152557373, 2.3462183475494385},
    }
    for padding, wanted in pairs(expected) do
      local x = nl.arange(0.0, 24):reshape(1, 1, 2, 3, 4):square():requires_grad_()
      local grid = nl.tensor {{-1.0, -0.5, 0.25}, {0.3, 0.9, -0.7}}:reshape(1, 1, 1, 2, 3):requires_grad_()
      local y = F.grid_sample(x, grid, "bicubic", padding, false)
      near(wanted[1], y:flatten(), 1e-4)
      local of_input, of_grid = nl.autograd.grad(y:sum(), {x, grid})
      near(wanted[2], of_grid:flatten(), 1e-3)
      assert.is_near(wanted[3], of_input:sum():item(), 1e-5)
      assert.is_near(wanted[4], of_input:square():sum():item(), 1e-5)
    end
  end)

  it("samples many channels as it samples each", function()
    for _, dtype in ipairs {nl.float32, nl.float64} do
      local x = nl.randn({2, 37, 5, 6}, {dtype = dtype}):requires_grad_()
      local grid = nl.rand({2, 3, 7, 2}, {dtype = dtype}) * 2.4 - 1.2
      for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
        local y, parts = F.grid_sample(x, grid, mode), {}
        for c = 1, 37 do parts[c] = F.grid_sample(x:narrow(2, c, 1), grid, mode) end
        near(nl.cat(parts, 2), y, 1e-5)
      end
    end
  end)
end)
