-- nl.transforms: torchvision's pictures with torchvision's seeds.
local nl = require "nnlua"

local T, F = nl.transforms, nl.transforms.functional
local reference = dofile "tests/files/transforms.lua"

local function from_hex(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local image = nl.frombuffer(from_hex(reference.image), nl.uint8):view(3, 9, 11)

describe("nl.transforms", function()
  it("draw and make what torchvision draws and makes", function()
    local n = 0
    for _, case in ipairs(reference.cases) do
      local code, given, seed, dtype, shape, elements = table.unpack(case)
      local want = nl.frombuffer(from_hex(elements), nl[dtype]):view(shape)
      local transform = assert(load("local T, nl = ... return T." .. code))(T, nl)
      nl.manual_seed(seed)
      local got = transform(given == "uint8" and image or F.convert_image_dtype(image))
      local what = ("%s of %s, seed %d"):format(code, given, seed)
      assert.equal(want.dtype, got.dtype, what)
      assert.equal(tostring(want.shape), tostring(got.shape), what)
      if dtype == "float32" then
        assert.is_true(nl.allclose(want, got, 1e-5, 1e-6), what)
      else
        assert.is_true(nl.equal(want, got), what)
      end
      n = n + 1
    end
    assert.is_true(n > 100)
  end)

  it("show what they are", function()
    assert.equal("Resize(size=5, interpolation=\"bilinear\", antialias=true)", tostring(T.Resize(5)))
    assert.equal("RandomApply(p=0.5\n    Pad(padding=1, fill=0, padding_mode=\"constant\")\n)",
      tostring(T.RandomApply {T.Pad(1)}))
  end)

  it("leave the picture as it was", function()
    local before = image:clone()
    for _, t in ipairs {T.RandomErasing(1), T.ColorJitter(0.5, 0.5, 0.5, 0.1), T.RandomRotation(9)} do t(image) end
    assert.is_true(nl.equal(before, image))
    local floats = F.convert_image_dtype(image)
    local made = T.Normalize({0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, true)(floats)
    assert.equal(floats, made)
  end)

  it("take pictures of other dtypes and batches", function()
    local double = F.convert_image_dtype(image, nl.float64)
    assert.equal(nl.float64, T.Resize(4)(double).dtype)
    assert.equal("[2, 3, 4, 4]", tostring(T.RandomResizedCrop(4)(nl.stack {image, image}).shape))
    assert.equal("[2, 3, 9, 11]", tostring(T.RandomRotation(20)(nl.stack {image, image}).shape))
    assert.equal("[2, 3, 9, 11]", tostring(T.ColorJitter(0.5, 0.5, 0.5, 0.1)(nl.stack {image, image}).shape))
  end)

  it("refuse settings that can't be", function()
    local function refused(pattern, f) assert.error_matches(f, pattern) end
    refused("Compose: a list of transforms is wanted", function() T.Compose() end)
    refused("Compose: transform 2 can't be called: it is a number", function() T.Compose {T.Pad(1), 3} end)
    refused("Lambda: a function is wanted", function() T.Lambda(3) end)
    refused("RandomChoice: p has 1 numbers for 2", function() T.RandomChoice({T.Pad(1), T.Pad(2)}, {1}) end)
    refused("RandomChoice: p must have a number above 0", function() T.RandomChoice({T.Pad(1)}, {0}) end)
    refused("CenterCrop: size must be one or two whole numbers", function() T.CenterCrop(0) end)
    refused("RandomCrop: 20 x 20 pixels are wanted of 9 x 11", function() T.RandomCrop(20)(image) end)
    refused("RandomErasing: scale must lie between 0 and 1", function() T.RandomErasing {scale = {0, 2}} end)
    refused("RandomErasing: ratio must be two numbers, the smaller one first", function()
      T.RandomErasing {ratio = {2, 1}}
    end)
    refused("ColorJitter: hue must lie between %-0.5 and 0.5", function() T.ColorJitter {hue = 0.7} end)
    refused("ColorJitter: brightness must not be negative", function() T.ColorJitter(-1) end)
    refused("normalize: img must be floats", function() T.Normalize({0}, {1})(image) end)
    refused("mean has 2 numbers, but the picture 3 channels", function() T.Normalize({0, 0}, {1})(image:float()) end)
    refused("std has a zero", function() T.Normalize({0}, {0})(image:float()) end)
    refused("padding must be a number or a list of 1, 2 or 4", function() T.Pad({1, 2, 3})(image) end)
    refused("padding_mode must be constant, edge", function() T.Pad(1, 0, "wrap")(image) end)
    refused("interpolation must be nearest or bilinear", function() T.RandomRotation(3, "bicubic")(image) end)
    refused("img has shape %[4, 4%]", function() F.hflip(nl.ones(4, 4)) end)
    refused("2 rows from 9 on", function() F.erase(image, 9, 1, 2, 1, 0) end)
    refused("ImageTransform has no method forward", function() T.ImageTransform()(image) end)
    refused("kernel_size must be odd", function() T.GaussianBlur(4)(image) end)
    refused("a picture of 0 x 4 pixels can't be resized", function() F.resize(nl.zeros(3, 0, 4), 10) end)
    refused("a picture of 4 x 0 pixels can't be resized", function() F.resize(nl.zeros(3, 4, 0), {2, 2}) end)
    for _, angle in ipairs {0 / 0, 1 / 0, -1 / 0} do
      refused("rotate: angle must be a finite number", function() F.rotate(image, angle, {expand = true}) end)
      refused("affine: angle must be a finite number", function() F.affine(image, angle, {0, 0}, 1.0, 0.0) end)
    end
    refused("max_size must be more than size", function() T.Resize(5, {max_size = 4})(image) end)
  end)

  it("crop beyond the picture with zeros, counted from 1", function()
    local x = nl.arange(1, 5):view(1, 2, 2)
    assert.same({{{0, 0, 0}, {0, 1, 2}, {0, 3, 4}}}, F.crop(x, 0, 0, 3, 3):tolist())
    assert.same({{{4, 0}}}, F.crop(x, 2, 2, 1, 2):tolist())
    assert.same({{{0}}}, F.crop(x, 9, 9, 1, 1):tolist())
  end)
end)
