-- nl.utils.tensorboard. What it writes is compared with what PyTorch 2.15 wrote for the same calls
-- (tests/files/tensorboard.py): records, messages field by field, pixels of pictures, files of the projector.
local nl = require "nnlua"
local schema = require "nnlua.utils.tensorboard.schema"
local system = require "nnlua.system"

local folder

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
end)

after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- The message that a field of kind m or s holds, where it holds one.
local kinds = {
  event = {graph_def = "graph", summary = "summary", session_log = "session_log"},
  summary = {value = "value"},
  value = {image = "image", histo = "histogram", audio = "audio", tensor = "tensor", metadata = "metadata"},
  metadata = {plugin_data = "plugin_data"}, tensor = {tensor_shape = "shape"}, shape = {dim = "dim"},
  graph = {node = "node"}, node = {attr = "attribute"},
}
local ignored = {wall_time = true, source_metadata = true}

--- A message as a table of lists, without what is zero or empty; pictures by their pixels.
local function decoded(text, kind)
  local source = system.text_source(text, "a message")
  local fields = assert(system.wire_fields(source, 0, #text, schema[kind]))
  local result = {}
  for name, list in pairs(fields) do
    local inner, values = kinds[kind] and kinds[kind][name], {}
    local letter = "s"
    for _, one in pairs(schema[kind]) do
      if one:sub(2) == name then letter = one:sub(1, 1) end
    end
    if letter == "m" then
      for i = 1, #list, 2 do
        local part = text:sub(list[i] + 1, list[i + 1])
        values[#values + 1] = inner and decoded(part, inner) or part
      end
    else
      for i, value in ipairs(list) do
        local is_picture = name == "encoded_image_string"
        values[i] = is_picture and nl.io.decode_image(nl.frombuffer(value, nl.uint8)):tolist() or value
      end
    end
    local first = values[1]
    local is_nothing = #values == 1 and (first == 0 or first == "" or type(first) == "table" and next(first) == nil)
    if not ignored[name] and not is_nothing then result[name] = values end
  end
  return result
end

--- The events of a file, whose records' checksums are looked at.
local function events_of(path)
  local text, at, list = read(path), 1, {}
  local function masked(bytes)
    local crc = system.crc32c(bytes)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
  end
  while at <= #text do
    local length, crc = ("<I8I4"):unpack(text, at)
    local bytes = text:sub(at + 12, at + 11 + length)
    assert.equal(crc, masked(text:sub(at, at + 7)))
    assert.equal(masked(bytes), (("<I4"):unpack(text, at + 12 + length)))
    list[#list + 1] = bytes
    at = at + 16 + length
  end
  return list
end

local function event_file(path)
  local names = system.list_folder("spec", path)
  for _, name in ipairs(names) do
    if name:find "^events.out.tfevents%.%d+%." or name == "events" then return path .. "/" .. name end
  end
end

local function write_all(writer)
  local w = writer
  w:add_scalar("loss/train", 0.25, 3)
  w:add_scalar("none", nl.tensor(7))
  w:add_scalar("new", 2.5, 3, nil, true)
  w:add_scalar("double", 2.5, 3, {new_style = true, double_precision = true})
  w:add_scalars("many", {a = 0.5, b = 2.25}, 1)
  local x = (nl.arange(0, 200):double() * 7 % 200 - 30) / 64
  w:add_histogram("h", x, 1)
  w:add_histogram("hi", x, 1, 10)
  w:add_histogram("he", x, 1, {-1, -0.25, 0, 0.5})
  w:add_histogram("hm", x, 1, {bins = 50, max_bins = 7})
  w:add_histogram("one", nl.tensor {1.0, 1.0}, 1, 3)
  w:add_histogram_raw("raw", 0.5, 1, 3, 1.5, 1.25, {0.5, 1}, {1, 2}, 2)
  local image = nl.arange(0, 240):view(3, 8, 10):float() / 240
  w:add_image("image", image, 1)
  w:add_image("hwc", image:permute(2, 3, 1), {dataformats = "HWC"})
  w:add_image("hw", image[1], {dataformats = "HW"})
  w:add_image("bytes", (image * 255):to(nl.uint8), 2)
  w:add_image("gray", image[1]:unsqueeze(1), 1)
  w:add_images("images", nl.arange(0, 660):view(11, 3, 4, 5):float() / 660, 1)
  w:add_audio("sound", nl.arange(-32, 32):float() / 50, 1, 8000)
  w:add_text("note", "# Title\n\nsome *text*, täxt", 1)
  local labels, predictions = nl.arange(0, 200) % 3, nl.arange(0, 200):float() * 0.618 % 1
  w:add_pr_curve("curve", labels:eq(0), predictions, 1)
  w:add_pr_curve("weighted", labels:eq(0):int(), predictions, 1, 11, nl.arange(0, 200):double() / 100)
  w:add_pr_curve_raw("counted", {3, 2, 1}, {2, 1, 0}, {0, 1, 2}, {0, 1, 2}, {0.5, 0.75, 1}, {1, 0.75, 0.5}, 1, 3)
  w:add_custom_scalars {losses = {a = {"Margin", {"x", "y", "z"}}, b = {"Multiline", {"loss/train", "loss/val"}}}}
  w:add_custom_scalars_multilinechart({"a", "b"}, "cat", "title")
  w:add_custom_scalars_marginchart {"a", "b", "c"}
  local dtypes = "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 bool complex64 complex128"
  for name in dtypes:gmatch "%S+" do
    w:add_tensor("tensor/" .. name, nl.tensor({{2.0, 0.0}, {1.5, 3.0}}):to(nl[name]), 1)
  end
  w:add_hparams({lr = 0.1}, {["hparam/loss"] = 0.5}, {lr = {0.1, 0.2}}, "run1", 5)
  w:add_hparams({name = "adam"}, {["hparam/loss"] = 0.25}, nil, "run2")
  w:add_embedding(nl.arange(0, 12):float():view(4, 3) / 8, {"a", "b", "c", "d"},
    nl.arange(0, 48):view(4, 3, 2, 2):float() / 48, 2, "some/points")
  w:add_embedding(nl.arange(0, 12):view(4, 3), {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}},
    {metadata_header = {"name", "n"}})
end

describe("a SummaryWriter", function()
  local reference = "tests/files/tensorboard"

  it("writes the events that PyTorch writes", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder, {purge_step = 4})
    write_all(writer)
    writer:flush()
    local compared = 0
    for _, run in ipairs {"", "/many_a", "/many_b", "/run1", "/run2"} do
      local expected, found = events_of(event_file(reference .. run)), events_of(event_file(folder .. run))
      assert.equal(#expected, #found, run)
      for i, text in ipairs(expected) do
        assert.same(decoded(text, "event"), decoded(found[i], "event"))
        compared = compared + 1
      end
    end
    assert.equal(53, compared)
  end)

  it("writes the projector's files", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    write_all(writer)
    for _, name in ipairs {"projector_config.pbtxt", "00000/default/metadata.tsv", "00002/some%2fpoints/metadata.tsv",
      "00000/default/tensors.tsv"} do
      assert.equal(read(reference .. "/" .. name), read(folder .. "/" .. name), name)
    end
    local function numbers(path)
      local list = {}
      for word in read(path):gmatch "%S+" do list[#list + 1] = tonumber(word) end
      return list
    end
    local points, sprite = "/00002/some%2fpoints/tensors.tsv", "/00002/some%2fpoints/sprite.png"
    assert.same(numbers(reference .. points), numbers(folder .. points))
    assert.is_true(nl.equal(nl.io.read_image(reference .. sprite), nl.io.read_image(folder .. sprite)))
  end)

  it("draws a model's steps, within the modules whose parameters they use", function()
    local nn = nl.nn
    local net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 1)))
    do
      local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
      writer:add_graph(net, nl.ones(4, 2))
    end
    local graph = decoded(events_of(event_file(folder))[2], "event").graph_def[1]
    local inputs = {}
    for _, node in ipairs(graph.node) do inputs[node.name[1]] = table.concat(node.input or {}, " ") end
    assert.same({
      ["0/weight"] = "", ["0/bias"] = "", ["2/0/weight"] = "", ["2/0/bias"] = "", ["input/input"] = "",
      ["0/linear"] = "input/input 0/weight 0/bias", relu = "0/linear", ["2/0/linear"] = "relu 2/0/weight 2/0/bias",
      ["output/output"] = "2/0/linear",
    }, inputs)
  end)

  it("adds meshes as PyTorch does, whose faces count from 1", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    local vertices = nl.tensor {{{1.0, 1, 1}, {-1, -1, 1}, {1, -1, -1}, {-1, 1, -1}}}
    local colors = nl.tensor {{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 0, 255}}}
    local faces = nl.tensor {{{1, 3, 4}, {1, 4, 2}, {1, 2, 3}, {2, 4, 3}}}
    writer:add_mesh("my", vertices, colors, faces, {camera = {cls = "PerspectiveCamera", fov = 75}, b = {1, 2.5, true}})
    writer:flush()
    -- what torch.utils.tensorboard.summary.mesh gives for these, faces less 1, as hexadecimal digits
    local expected = (
      "0ab2010a096d795f56455254455842420801120c1202080112020804120208032a300000803f0000803f0000803f000080bf" ..
      "000080bf0000803f0000803f000080bf000080bf000080bf0000803f000080bf4a610a5f0a046d657368125712026d791801" ..
      "2a487b2262223a205b312c20322e352c20747275655d2c202263616d657261223a207b22636c73223a202250657273706563" ..
      "7469766543616d657261222c2022666f76223a2037357d7d3203010403380e0ab0010a076d795f4641434542420801120c12" ..
      "02080112020804120208032a3000000000000000400000404000000000000040400000803f000000000000803f0000004000" ..
      "00803f00004040000000404a610a5f0a046d657368125712026d7918022a487b2262223a205b312c20322e352c2074727565" ..
      "5d2c202263616d657261223a207b22636c73223a2022506572737065637469766543616d657261222c2022666f76223a2037" ..
      "357d7d3203010403380e0ab1010a086d795f434f4c4f5242420801120c1202080112020804120208032a3000007f43000000" ..
      "00000000000000000000007f4300000000000000000000000000007f4300007f430000000000007f434a610a5f0a046d6573" ..
      "68125712026d7918032a487b2262223a205b312c20322e352c20747275655d2c202263616d657261223a207b22636c73223a" ..
      "2022506572737065637469766543616d657261222c2022666f76223a2037357d7d3203010403380e"
    ):gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)
    assert.is_truthy(events_of(event_file(folder))[2]:find(expected, 1, true))
    assert.error_matches(function() writer:add_mesh("m", vertices, nl.none, faces - 1) end,
      "add_mesh: faces has 0: its places of vertices go from 1 to 4")
    assert.error_matches(function() writer:add_mesh("m", vertices[1]) end,
      "vertices must have a shape of %(meshes, n, 3%)")
    for _, config in ipairs {{[1.5] = 2}, {1, 2, a = 3}, {1, nil, 3}, {b = {nil, 2}}} do
      assert.error_matches(function() writer:add_mesh("m", vertices, {config_dict = config}) end, "texts for keys")
    end
  end)

  it("refuses meshes whose parts don't fit together", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    local vertices = nl.rand(1, 4, 3)
    local function assert_refused(message, colors, faces)
      assert.error_matches(function() writer:add_mesh("m", vertices, colors, faces) end, message)
    end
    assert_refused("add_mesh: there are vertices of 1 meshes, and colors of 2", nl.rand(2, 4, 3))
    assert_refused("add_mesh: there are 4 vertices and 7 colors", nl.rand(1, 7, 3))
    assert_refused("add_mesh: there are vertices of 1 meshes, and faces of 2", nl.none, nl.ones(2, 1, 3))
    assert_refused("add_mesh: faces has nan: ", nl.none, nl.tensor {{{nl.nan, 1, 2}}})
    assert_refused("whole numbers", nl.none, nl.tensor {{{1.5, 1, 2}}})
  end)

  it("writes floats in the fewest digits that give them back", function()
    local text = require "nnlua.files.json".text
    assert.equal("[0.1, 0.30000000000000004, 1e+100, 3, 0.3333333333333333]", text {0.1, 0.1 + 0.2, 1e100, 3.0, 1 / 3})
  end)

  --- The pictures of a GIF, as lists of places in its palette, and the palette.
  local function gif_of(bytes)
    local width, height = ("<I2I2"):unpack(bytes, 7)
    local palette, at, pictures = bytes:sub(14, 13 + 768), 14 + 768, {}
    local function blocks()
      local list = {}
      while bytes:byte(at) > 0 do
        list[#list + 1] = bytes:sub(at + 1, at + bytes:byte(at))
        at = at + 1 + bytes:byte(at)
      end
      at = at + 1
      return table.concat(list)
    end
    local function unpacked(text)
      local known, size, before, out, bit = {}, 9, nil, {}, 0
      while true do
        local code = 0
        for i = 0, size - 1 do
          code, bit = code | (text:byte((bit >> 3) + 1) >> (bit & 7) & 1) << i, bit + 1
        end
        if code == 257 then return table.concat(out) end
        if code == 256 then
          known, size, before = {[256] = "", [257] = ""}, 9, nil
          for i = 0, 255 do known[i] = string.char(i) end
        else
          local one = known[code] or before .. before:sub(1, 1)
          out[#out + 1] = one
          if before and #known < 4095 then known[#known + 1] = before .. one:sub(1, 1) end
          if #known + 1 == 1 << size and size < 12 then size = size + 1 end
          before = one
        end
      end
    end
    while bytes:sub(at, at) ~= ";" do
      if bytes:byte(at) == 33 then
        at = at + 2
        blocks()
      else
        at = at + 11
        pictures[#pictures + 1] = unpacked(blocks())
        assert.equal(width * height, #pictures[#pictures])
      end
    end
    return pictures, palette, width, height
  end

  it("adds moving pictures as a GIF, side by side", function()
    local function gif(video, ...)
      local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
      writer:add_video("v", video, 1, ...)
      writer:close()
      local event = events_of(event_file(folder))[2]
      os.execute("rm -rf '" .. folder .. "'")
      return gif_of(event:sub((event:find "GIF89a")))
    end
    local gray = nl.randint(0, 256, {3, 2, 1, 50, 80}, {dtype = nl.uint8})
    local pictures, palette, width, height = gif(gray)
    assert.same({160, 100, 2}, {width, height, #pictures}) -- the fourth place is black
    assert.equal("\200\200\200", palette:sub(601, 603))
    local rows = nl.cat({nl.cat({gray[1], gray[2]}, 4), nl.cat({gray[3], gray[1] * 0}, 4)}, 3)
    for i = 1, 2 do assert.equal(rows[i]:contiguous():tobytes(), pictures[i]) end
    local colours = nl.tensor({255, 0, 0, 0, 255, 255}):view(2, 1, 3, 1, 1) / 255
    pictures, palette = gif(colours:expand(-1, 4, -1, 3, 2), 10)
    local function colour(place) return palette:sub(3 * place + 1, 3 * place + 3) end
    assert.equal("\255\0\0", colour(pictures[4]:byte(1)))
    assert.equal("\0\255\255", colour(pictures[4]:byte(4)))
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    assert.error_matches(function() writer:add_video("v", nl.zeros(2, 3, 4, 5)) end, "add_video: vid_tensor must have")
    assert.error_matches(function() writer:add_video("v", gray, {fps = 0}) end, "add_video: fps must be above 0, not 0")
  end)

  it("adds pictures with boxes and labels", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    writer:add_image_with_boxes("b", nl.ones(3, 40, 60), nl.tensor {{10, 10, 50, 30}}, 1, {labels = {"a cat"}})
    writer:add_image_with_boxes("b", nl.ones(40, 60), nl.tensor {{10, 10, 50, 30}}, {dataformats = "HW", rescale = 2})
    writer:flush()
    local events = events_of(event_file(folder))
    local function picture(i)
      return nl.tensor(decoded(events[i], "event").summary[1].value[1].image[1].encoded_image_string[1])
    end
    local one, two = picture(2), picture(3)
    assert.same({3, 40, 60}, one.shape:totable())
    assert.same({3, 80, 120}, two.shape:totable())
    assert.same({255, 0, 0}, one[{{}, 11, 31}]:tolist())
    assert.same({255, 255, 255}, one[{{}, 16, 31}]:tolist())
    assert.same({255, 0, 0}, two[{{}, 21, 61}]:tolist())
    assert.is_true(one[{{1}, {18, 29}, {12, 40}}]:eq(0):any():item()) -- letters
    for value, text in pairs {[math.huge] = "inf", [0] = "0", [-1] = "%-1"} do
      assert.error_matches(function()
        writer:add_image_with_boxes("b", nl.ones(3, 4, 6), nl.ones(1, 4), {rescale = value})
      end, "rescale must be above 0 and finite, not " .. text)
    end
    assert.error_matches(function() writer:add_image_with_boxes("b", nl.ones(3, 4, 6), nl.ones(4)) end,
      "box_tensor must have a shape of %(boxes, 4%)")
    assert.error_matches(function()
      writer:add_image_with_boxes("b", nl.ones(3, 4, 6), nl.ones(2, 4), {labels = {"a"}})
    end, "there are 1 labels and 2 boxes")
  end)

  it("adds figures of nl.plot", function()
    local figure = nl.plot.line({1, 4, 2})
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    writer:add_figure("figure", figure, 3)
    writer:flush()
    local image = decoded(events_of(event_file(folder))[2], "event").summary[1].value[1].image[1]
    local drawn = nl.io.decode_image(nl.frombuffer(figure:png(), nl.uint8), "RGB")
    assert.same(drawn:tolist(), image.encoded_image_string[1])
  end)

  it("goes on in new files after close, in a folder of its own if none is given", function()
    local writer = nl.utils.tensorboard.SummaryWriter(folder)
    writer:close()
    writer:add_scalar("a", 1)
    writer:close()
    assert.equal(2, #system.list_folder("spec", folder))
    local process = require "support.process"
    os.execute("mkdir -p '" .. folder .. "/here'")
    local printed = process.run {"sh", "-c", 'cd "$1" && exec "$0" -e "$2"', process.nnlua, folder .. "/here", [[
      local writer <close> = require "nnlua".utils.tensorboard.SummaryWriter({comment = "_mine"})
      print(writer:get_logdir())]]}
    assert.matches("^runs/%u%l%l%d%d_%d%d%-%d%d%-%d%d_.+_mine\n$", printed.stdout)
  end)

  it("says what it can't take", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    for text, f in pairs {
      ["add_scalar: a number or a tensor of one element is wanted, not a string"] =
        function() writer:add_scalar("a", "b") end,
      ["add_image: a picture of shape [2, 3] is not of the dataformats 'CHW'"] =
        function() writer:add_image("a", nl.ones(2, 3)) end,
      ["add_histogram: values has no elements"] = function() writer:add_histogram("a", nl.ones(0)) end,
      ["add_embedding: there are 1 metadata for 2 points"] = function() writer:add_embedding(nl.ones(2, 3), {"a"}) end,
      ["add_graph: model must be a module, not a number"] = function() writer:add_graph(3) end,
      ["add_figure: figure must be one of nl.plot, not a number"] = function() writer:add_figure("a", 3) end,
    } do
      local _, message = pcall(f)
      assert.equal(text, (message:gsub("^[^\n:]*tensorboard_spec.lua:%d+: ", "")))
    end
  end)
end)

describe("crc32c", function()
  it("is that of RFC 3720", function() -- its appendix B.4, and the check value of the polynomial
    assert.equal(0xe3069283, system.crc32c "123456789")
    assert.equal(0x8a9136aa, system.crc32c(("\0"):rep(32)))
    assert.equal(0x62a8ab43, system.crc32c(("\xff"):rep(32)))
    assert.equal(0, system.crc32c "")
  end)
end)

describe("a writer", function()
  it("says at its close what couldn't be written, and closes the other files", function()
    local writer = nl.utils.tensorboard.SummaryWriter(folder)
    writer:add_scalars("loss", {train = 1, val = 2}, 1)
    local file = writer._files[folder]
    file.file:close()
    file.file = assert(io.open("/dev/full", "wb"))
    writer:add_scalar("x", 1, 1)
    local others = {}
    for _, one in pairs(writer._files) do
      if one ~= file then others[#others + 1] = one.file end
    end
    assert.error_matches(function() writer:close() end, "^SummaryWriter: .*No space left")
    assert.equal(2, #others)
    for _, one in ipairs(others) do assert.equal("closed file", io.type(one)) end
    writer:close()
  end)

  it("says what is wrong with arguments, and writes nothing", function()
    local writer <close> = nl.utils.tensorboard.SummaryWriter(folder)
    local x, layout = nl.tensor {1, 2}, "must be {\"Multiline\", tags} or {\"Margin\", {value, lower, upper}}"
    local function size() writer:flush() return #read(writer._files[folder].path) end
    local before = size()
    for _, case in ipairs {
      {"add_histogram: max_bins must be from 1 on, not 0", "add_histogram", "h", x, 1, 10, nil, 0},
      {"add_histogram: bins[1] must be a number, not a string", "add_histogram", "h", x, 1, {"a", "b"}},
      {"the borders in bins must rise, but after 3 comes 1", "add_histogram", "h", x, 1, {3, 1, 2}},
      {"from 1.0 to inf there are none", "add_histogram", "h", nl.tensor {1, math.huge}, 1, 10},
      {"add_histogram_raw: bucket_limits[1] must be a number, not a string", "add_histogram_raw", "h", 0, 1, 1, 1, 1,
        {"a"}, {1}},
      {"add_images: there is no pixel in shape [0, 3, 2, 2]", "add_images", "i", nl.zeros(0, 3, 2, 2), 1},
      {"add_audio: sample_rate must be from 1 to 2147483647, not -5", "add_audio", "a", x, 1, -5},
      {"sample_rate must be from 1 to 2147483647, not 1099511627776", "add_audio", "a", x, 1, 1 << 40},
      {"add_pr_curve: num_thresholds must be from 1 on, not 0", "add_pr_curve", "p", nl.tensor {0, 1}, x, 1, 0},
      {"add_scalars: names must be texts, as in {name = …}, not a number", "add_scalars", "s", {1, a = 2}, 1},
      {"add_scalars: a number or a tensor of one element is wanted", "add_scalars", "s", {a = 1, b = "x"}, 1},
      {"add_hparams: a number or a tensor of one element is wanted", "add_hparams", {lr = 1}, {loss = "x"}},
      {"add_custom_scalars: layout must be a table", "add_custom_scalars", 5},
      {"category a must be a table of charts by title, not a number", "add_custom_scalars", {a = 1}},
      {"add_custom_scalars: names must be texts", "add_custom_scalars", {1, a = {}}},
      {"add_custom_scalars: chart b " .. layout, "add_custom_scalars", {a = {b = 1}}},
      {"add_custom_scalars: chart b " .. layout, "add_custom_scalars", {a = {b = {"Margin", 1}}}},
      {"add_custom_scalars: chart b " .. layout, "add_custom_scalars", {a = {b = {"Pie", {"x"}}}}},
      {"add_custom_scalars_multilinechart: tags[1] must be a string", "add_custom_scalars_multilinechart", {5}},
      {"add_custom_scalars_marginchart: a Margin has three tags", "add_custom_scalars_marginchart", {"x"}},
    } do
      local ok, problem = pcall(function() writer[case[2]](writer, table.unpack(case, 3, 10)) end)
      assert.is_false(ok, case[1])
      assert.matches("^[^\n]*tensorboard_spec.lua:%d+: ", problem)
      assert.is_truthy(problem:find(case[1], 1, true), problem)
    end
    assert.equal(before, size())
  end)
end)
