-- nl.vision, against OpenCV, pyclipper and torchvision.ops.
local nl = require "nnlua"

local V = nl.vision
local reference = dofile "tests/files/vision.lua"

-- Points in an order that doesn't depend on where they begin.
local function sorted(points)
  local list = points.tolist and points:tolist() or points
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy, function(a, b)
    if math.abs(a[1] - b[1]) > 1e-2 then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  return copy
end

local function near(want, got, tolerance, what)
  want, got = sorted(want), sorted(got)
  assert.equal(#want, #got, what)
  for i, point in ipairs(want) do
    for k = 1, 2 do
      assert.is_true(math.abs(point[k] - got[i][k]) <= tolerance,
        ("%s: %g for %g"):format(what or "point", got[i][k], point[k]))
    end
  end
end

describe("nl.vision.connected_components", function()
  it("finds OpenCV's regions", function()
    for _, case in ipairs(reference.regions) do
      local mask = nl.tensor(case.mask, {dtype = nl.uint8})
      for _, connectivity in ipairs {4, 8} do
        local labels, stats = V.connected_components(mask, connectivity)
        local theirs = nl.tensor(case[connectivity][1], {dtype = nl.int64})
        assert.is_true(nl.equal(theirs:gt(0), labels:gt(0)))
        local of_theirs, n = {}, #stats
        for i = 1, n do -- each region of ours is one of theirs, which may have other numbers
          local inside = labels:eq(i)
          local number = theirs:masked_select(inside):unique()
          assert.equal(1, #number)
          of_theirs[i] = number[1]:item()
          assert.is_true(nl.equal(theirs:eq(of_theirs[i]), inside))
          local told = case[connectivity][2][of_theirs[i]]
          assert.same({told[1] + 1, told[2] + 1, told[3], told[4], told[5]}, stats[i]:tolist())
        end
        assert.equal(theirs:max():item(), n)
      end
    end
  end)

  it("numbers regions by their first pixels, whatever the mask's dtype and layout", function()
    local mask = nl.tensor {{0, 1, 0, 1}, {1, 0, 0, 1}, {0, 0, 1, 0}}
    assert.same({{0, 1, 0, 2}, {1, 0, 0, 2}, {0, 0, 2, 0}}, (V.connected_components(mask)):tolist())
    assert.same({{0, 1, 0, 2}, {3, 0, 0, 2}, {0, 0, 4, 0}}, (V.connected_components(mask, 4)):tolist())
    local turned = V.connected_components(mask:t():float())
    assert.same({0, 1, 0}, turned[1]:tolist())
    assert.equal("[0, 5]", tostring(select(2, V.connected_components(nl.zeros(0, 4))).shape))
    -- a comb, whose teeth meet at its last row
    local comb = nl.zeros(50, 101)
    comb[{{}, {1, 101, 2}}] = 1
    comb[50] = 1
    local labels, stats = V.connected_components(comb, 4)
    assert.equal(1, labels:max():item())
    assert.same({{1, 1, 101, 50, 51 * 50 + 50}}, stats:tolist())
    -- each pixel by itself
    local board = (nl.arange(0, 9):view(-1, 1) + nl.arange(0, 9)) % 2
    assert.equal(40, #select(2, V.connected_components(board, 4)))
    assert.equal(1, #select(2, V.connected_components(board, 8)))
  end)

  it("refuses what is no mask", function()
    assert.error_matches(function() V.connected_components(nl.ones(3)) end, "mask has shape %[3%]")
    assert.error_matches(function() V.connected_components(nl.ones(3, 3), 6) end, "connectivity must be 4 or 8, not 6")
  end)

  it("gives points whose hull is the region's", function()
    for _, case in ipairs(reference.regions) do
      local labels, stats = V.connected_components(nl.tensor(case.mask))
      for i = 1, #stats do
        local pixels = labels:eq(i):nonzero():flip(2)
        near(V.convex_hull(pixels), V.convex_hull(V.region_points(labels, stats, i)), 0)
      end
    end
    local labels, stats = V.connected_components(nl.ones(2, 2))
    assert.error_matches(function() V.region_points(labels, stats, 2) end, "there are 1 regions, counted from 1, and n")
  end)
end)

describe("nl.vision's polygons", function()
  it("have OpenCV's hulls and rectangles", function()
    for i, case in ipairs(reference.rects) do
      near(case.hull, V.convex_hull(case.points), 0, "hull " .. i)
      local rect = V.min_area_rect(nl.tensor(case.points))
      local area = rect.size[1] * rect.size[2]
      assert.is_true(math.abs(area - case.area) <= 1e-3 * case.area + 1e-3, ("%d: %g"):format(i, area))
      assert.is_true(rect.angle > 0 and rect.angle <= 90)
      local box = V.box_points(rect)
      if case.area > 0 then -- of equal areas either may be taken
        local all = true
        local want, got = sorted(case.box), sorted(box)
        for k = 1, 4 do
          all = all and math.abs(want[k][1] - got[k][1]) < 0.05 and math.abs(want[k][2] - got[k][2]) < 0.05
        end
        assert.is_true(all or math.abs(area - case.area) < 1e-4 * area, "box " .. i)
      end
      -- all points are inside
      local across, down = math.cos(math.rad(rect.angle)), math.sin(math.rad(rect.angle))
      for _, p in ipairs(case.points) do
        local x, y = p[1] - rect.center[1], p[2] - rect.center[2]
        assert.is_true(math.abs(x * across + y * down) <= rect.size[1] / 2 + 1e-6)
        assert.is_true(math.abs(y * across - x * down) <= rect.size[2] / 2 + 1e-6)
      end
    end
  end)

  it("grow as pyclipper's", function()
    for _, case in ipairs(reference.grown) do
      local area, length = V.polygon_area(case.points)
      assert.is_true(math.abs(area - case.area) < 1e-2 and math.abs(length - case.length) < 1e-2)
      local grown = V.unclip(case.points, {ratio = 1.6})
      assert.is_true(math.abs(V.polygon_area(grown) - case.to) < 5e-3 * case.to) -- theirs are whole numbers
      if #case.points == 4 then near(case.box, V.box_points(V.min_area_rect(grown)), 1.6) end
      -- area + length distance + pi distance^2, less what is between chords and arcs
      local exact, got = area + length * case.distance + math.pi * case.distance ^ 2, V.polygon_area(grown)
      assert.is_true(got <= exact and got > exact - 2 * math.pi * case.distance * 0.25)
      local by_distance = V.polygon_area(V.unclip(nl.tensor(case.points), case.distance))
      assert.is_true(math.abs(by_distance - got) < 1e-4 * got)
    end
    local circle = V.unclip({{5, 5}}, 2)
    assert.is_true(nl.allclose((circle - 5):pow(2):sum(2), nl.full({#circle}, 4.0)))
    local round = V.unclip({{0, 0}, {4, 0}}, 1, {arc_tolerance = 1e-4})
    assert.is_true(nl.allclose(round:amax(1), nl.tensor {5.0, 1.0}, 0, 1e-3))
    near({{0, 0}, {2, 0}, {1, 2}}, V.unclip({{0, 0}, {2, 0}, {1, 2}}, 0):unique_consecutive({dim = 1}), 1e-6)
  end)

  it("cover pixels", function()
    assert.same({{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 1, 1, 1}, {0, 0, 0, 0}},
      V.polygon_mask({{2, 2}, {4, 2}, {4, 3}, {2, 3}}, 4, 4):long():tolist())
    -- whole points x^2 + y^2 <= 100, of which those on the circle are outside of its chords
    local disc = V.polygon_mask(V.unclip({{20, 20}}, 10.05, {arc_tolerance = 1e-3}), 40, 40)
    assert.equal(317, disc:sum():item())
    -- a star that crosses itself: its middle is outside
    local star = {{10, 1}, {15, 18}, {1, 7}, {19, 7}, {5, 18}}
    assert.is_false(V.polygon_mask(star, 20, 20)[{10, 10}]:item())
    assert.is_true(V.polygon_mask(star, 20, 20)[{4, 10}]:item())
    assert.equal("[0, 3]", tostring(V.polygon_mask(star, 0, 3).shape))
  end)

  it("are cut out as OpenCV does", function()
    local quad = reference.quad
    local corners = nl.tensor(quad.corners) + 1
    local got = V.crop_quad(nl.tensor(quad.image):unsqueeze(1), corners, {8, 11}, "bilinear")
    assert.is_true((got[1] - nl.tensor(quad.to)):abs():max():item() < 0.5) -- theirs has 5 bits between pixels
    local image = nl.randint(0, 256, {3, 6, 7}, {dtype = nl.uint8})
    local whole = V.crop_quad(image, {{1, 1}, {8, 1}, {8, 7}, {1, 7}})
    assert.is_true(nl.equal(image, whole))
  end)

  it("refuse what is none", function()
    local function refused(pattern, f, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() f(table.unpack(arguments, 1, arguments.n)) end, pattern)
    end
    refused("points must be at least 1 points", V.convex_hull, {})
    refused("point 2 of points must be two finite numbers", V.min_area_rect, {{1, 2}, {1, 0 / 0}})
    refused("point 1 of points must be two finite numbers", V.min_area_rect, {{1, 2, 3}})
    refused("polygon must be at least 3 points", V.polygon_area, {{1, 2}, {3, 4}})
    refused("distance must not be negative", V.unclip, {{1, 2}, {3, 4}, {5, 9}}, -1)
    refused("four corners are wanted, not 5", V.crop_quad, nl.ones(1, 4, 4), {{1, 1}, {2, 1}, {2, 2}, {1, 2}, {0, 0}})
    refused("image has shape %[4, 4%]", V.crop_quad, nl.ones(4, 4), {{1, 1}, {2, 1}, {2, 2}, {1, 2}})
    refused("size must be {height, width}", V.crop_quad, nl.ones(1, 4, 4), {{1, 1}, {1, 1}, {1, 1}, {1, 1}})
    refused("rect.angle must be a number", V.box_points, {center = {1, 1}, size = {1, 1}})
  end)
end)

describe("nl.vision's boxes", function()
  it("are torchvision's", function()
    local case = reference.boxes
    local boxes, scores = nl.tensor(case.boxes), nl.tensor(case.scores)
    assert.is_true(nl.allclose(nl.tensor(case.iou), V.box_iou(boxes[{{1, 5}}], boxes[{{6, 9}}])))
    assert.is_true(nl.allclose(nl.tensor(case.area), V.box_area(boxes[{{1, 5}}])))
    local kept = V.nms(boxes, scores, 0.3)
    local want = {}
    for i, place in ipairs(case.kept) do want[i] = place + 1 end
    assert.same(want, kept:tolist())
    assert.equal("[0]", tostring(V.nms(nl.zeros(0, 4), nl.zeros(0), 0.5).shape))
    assert.error_matches(function() V.nms(boxes, scores[{{1, 3}}], 0.5) end, "scores has shape %[3%] for 30 boxes")
    assert.error_matches(function() V.box_area(nl.ones(3)) end, "boxes has shape %[3%]")
  end)
end)
