-- MaxRoiPool: the maxima of parts of boxes, against maxima of slices.
local nl = require "nnlua"

describe("MaxRoiPool", function()
  it("takes the maxima of windows that divide a box, 0 of those that lie outside", function()
    local b = nl.program.builder()
    local x, boxes = b:input "x", b:input "boxes"
    b:output("y", b:call("onnx_max_roi_pool", {x, boxes, {2, 3}, spatial_scale = 0.5}))
    local image = nl.arange(2 * 6 * 8):float():reshape(1, 2, 6, 8) - 50
    -- corners x1 y1 x2 y2, halved: columns 2..7 and rows 1..4, of which windows take 2 each; one to the left of all
    local y = b:build()(image, nl.tensor {{0.0, 4, 2, 14, 8}, {0.0, -20, 0, -14, 4}})
    assert.same({2, 2, 2, 3}, y.shape:totable())
    for channel = 1, 2 do
      for row = 0, 1 do
        for column = 0, 2 do
          local part = image[{1, channel, {2 + 2 * row, 3 + 2 * row}, {3 + 2 * column, 4 + 2 * column}}]
          assert.equal(part:max():item(), y[{1, channel, row + 1, column + 1}]:item())
        end
      end
    end
    assert.equal(0, y[2]:abs():max():item())
  end)
end)
